using System.Collections;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Tests.Configuration;

public sealed class TlsReaderTests
{
    [Fact]
    public void Every_key_is_read()
    {
        var tls = Read("""
            { "Listen": ["0.0.0.0:8883", "[fe80::1%1]:8883"], "Certificate": "/c.pem", "Key": "/k.pem", "ClientAuthority": "/a.pem",
              "ClientCertificates": "Optional", "MinimumVersion": "1.3" }
            """).MqttTls!;
        Assert.Equal(["0.0.0.0:8883", "[fe80::1%1]:8883"], tls.Listen.Select(one => one.ToString()));
        Assert.Equal(("/c.pem", "/k.pem", "/a.pem"), (tls.Options.CertificateFile, tls.Options.KeyFile, tls.Options.AuthorityFile));
        Assert.Equal((ClientCertificates.Optional, TlsVersion.Tls13), (tls.Options.ClientCertificates, tls.Options.MinimumVersion));
        Assert.Null(Read("{}").MqttTls);
    }

    [Fact]
    public void The_site_can_stand_in_for_all_files()
    {
        var tls = ConfigurationReader.Read("""
            { "Mqtt": { "Tls": { "Listen": ["0.0.0.0:8883"], "Identity": "Site", "ClientCertificates": "Required" } },
              "Mesh": { "Listen": "10.1.0.1:7900", "Site": "/s" } }
            """, new Hashtable(), "test.json").MqttTls!;
        Assert.Equal((true, "", ClientCertificates.Required), (tls.IsSite, tls.Options.CertificateFile, tls.Options.ClientCertificates));
    }

    [Fact]
    public void Files_beside_the_site_and_the_site_without_one_are_named()
    {
        var faults = Faults("""{ "Listen": ["0.0.0.0:8883"], "Identity": "Site", "Certificate": "/c.pem", "ClientAuthority": "/a.pem" }""");
        foreach (var named in (string[])["Identity: Mesh.Site is missing", "Certificate: is for nothing", "ClientAuthority: is for nothing"])
            Assert.Contains(faults, fault => fault.StartsWith($"Mqtt.Tls.{named}", StringComparison.Ordinal));
        Assert.StartsWith("Mqtt.Tls.Identity: Files or Site", Faults("""{ "Listen": ["0.0.0.0:8883"], "Identity": "Self", "Certificate": "/c.pem", "Key": "/k.pem" }""").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var faults = Faults("""
            { "Listen": ["8883"], "Certificate": "c.pem", "ClientCertificates": "yes", "MinimumVersion": "1.1", "ClientAuthority": "/a.pem", "Port": 1 }
            """);
        foreach (var named in (string[])["Listen: '8883'", "Certificate: 'c.pem' is no absolute", "Key: missing", "ClientCertificates: No, Optional", "MinimumVersion: \"1.2\"", "ClientAuthority: is for nothing", "Port: unknown key"])
            Assert.Contains(faults, fault => fault.StartsWith($"Mqtt.Tls.{named}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "Certificate": "/c.pem" }""", "Mqtt.Tls.Listen: missing")]
    [InlineData("""{ "Listen": ["0.0.0.0:8883"], "Certificate": "/c.pem", "Key": "/k.pem", "ClientCertificates": "Required" }""", "Mqtt.Tls.ClientAuthority: missing")]
    [InlineData("5", "Mqtt.Tls: an object is needed")]
    public void What_is_missing_is_named(string tls, string fault) => Assert.StartsWith(fault, Assert.Single(Faults(tls)), StringComparison.Ordinal);

    private static NodeConfiguration Read(string tls) => ConfigurationReader.Read($$"""{ "Mqtt": { "Tls": {{tls}} } }""", new Hashtable(), "test.json");

    private static IReadOnlyList<string> Faults(string tls) => Assert.Throws<ConfigurationException>(() => Read(tls)).Faults;
}
