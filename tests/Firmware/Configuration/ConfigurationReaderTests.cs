using System.Collections;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Firmware.Configuration;

namespace EdgeFirmware.Firmware.Tests.Configuration;

public sealed class ConfigurationReaderTests
{
    private static readonly string Key = Convert.ToBase64String(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());

    [Fact]
    public void Every_key_is_read()
    {
        var read = Read($$"""
            { "Node": { "Name": "gate-1", "Location": "46.0679, 11.1211", "Labels": ["roof", "floor=2"] }, "DataDirectory": "/data",
              "Mqtt": { "Listen": ["0.0.0.0:1883", "[::1]:1884"], "AllowAnonymous": true }, "Api": { "Listen": "127.0.0.1:8080" },
              "Mesh": { "Listen": "10.1.0.1:7900", "Seeds": ["10.1.0.2:7900"], "SiteKey": "{{Key}}" }, "Engine": { "Socket": "/e.sock" } }
            """);
        Assert.Equal(("gate-1", (46.0679, 11.1211), "/data", true, "/e.sock"), (read.Name, read.Location!.Value, read.DataDirectory, read.AllowAnonymous, read.EngineSocket));
        Assert.Equal(["floor=2", "roof"], read.Labels);
        Assert.Equal(["0.0.0.0:1883", "[::1]:1884"], read.MqttListen.Select(one => one.ToString()));
        Assert.Equal("127.0.0.1:8080", read.ApiListen!.ToString());
        Assert.Equal(("10.1.0.1:7900", "10.1.0.2:7900", (byte)32), (read.Mesh!.Listen.ToString(), read.Mesh.Seeds.Single().ToString(), read.Mesh.SiteKey![31]));
    }

    [Fact]
    public void Every_key_has_a_default_or_may_be_absent()
    {
        var read = Read("{ /* nothing */ }");
        Assert.Equal(("/var/lib/edge-firmware", false, "/run/docker.sock"), (read.DataDirectory, read.AllowAnonymous, read.EngineSocket));
        Assert.Equal("0.0.0.0:1883", read.MqttListen.Single().ToString());
        Assert.Null(read.ApiListen);
        Assert.Null(read.Mesh);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var faults = Faults("""
            { "Nodes": 1, "Node": { "name": "x", "Location": "north" }, "Mqtt": { "Listen": "1883", "AllowAnonymous": "yes" }, "Api": 5,
              "Mesh": { "Listen": "0.0.0.0:7900", "SiteKey": "short" }, "Engine": { "Socket": 1 }, "DataDirectory": "relative" }
            """, ("EDGE__Foo", "1"), ("EDGE__Mqtt__Port", "1"));
        foreach (var named in new[]
                 {
                     "Nodes: unknown key", "Node.name: unknown key", "did you mean Node.Name?", "Node.Location: 'north'", "Mqtt.Listen: a list", "Mqtt.AllowAnonymous: true or false",
                     "Api: an object is needed", "Mesh.Listen: the address others reach", "Mesh.SiteKey: not base64 of 32 bytes", "Engine.Socket: text", "EDGE__Foo: no such setting",
                     "EDGE__Mqtt__Port: no such setting", "DataDirectory: 'relative'",
                 })
            Assert.Contains(faults, fault => fault.Contains(named, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"Roof\"", "'Roof' is no label: 1 to 24 of a-z, 0-9 and . _ - =")]
    [InlineData("\"\"", "'' is no label")]
    [InlineData("\"a label\"", "'a label' is no label")]
    [InlineData("\"abcdefghijklmnopqrstuvwxy\"", "is no label")]
    [InlineData("\"roof\", \"roof\"", "'roof' is given twice")]
    [InlineData("\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\",\"k\",\"l\",\"m\"", "13 labels, and others are told 12 at most")]
    public void Labels_that_others_would_not_take_are_refused(string labels, string fault) =>
        Assert.Contains(Faults($"{{ \"Node\": {{ \"Name\": \"a\", \"Labels\": [{labels}] }} }}"), one => one.Contains(fault, StringComparison.Ordinal));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{ \"Node\": { \"Name\": \"a\", \"Name\": \"b\" } }")]
    [InlineData("{ \"\": {} }")]
    [InlineData("{ \"DataDirectory\": null }")]
    [InlineData("{ \"Mqtt\": { \"Listen\": [null] } }")]
    [InlineData("{ \"Mqtt\": { \"Listen\": [1883] } }")]
    public void What_is_no_configuration_is_refused_with_words(string json) => Assert.NotEmpty(Faults(json));

    [Theory]
    [InlineData("10.1.0.1:7900", true)]
    [InlineData("[fd00::1]:7900", true)]
    [InlineData("10.1.0.1", false)]
    [InlineData("10.1.0.1:0", false)]
    [InlineData("10.1.0.1:99999", false)]
    [InlineData("7900", false)]
    [InlineData(":7900", false)]
    [InlineData("fd00::1", false)]
    [InlineData("gate-1:7900", false)]
    [InlineData("[::]:7900", false)]
    public void A_mesh_address_is_one_that_others_can_reach(string text, bool isRight)
    {
        var json = $$"""{ "Mesh": { "Listen": "{{text}}", "SiteKey": "{{Key}}" } }""";
        if (isRight)
            Assert.Equal(text, Read(json).Mesh!.Listen.ToString());
        else
            Assert.StartsWith("Mesh.Listen:", Assert.Single(Faults(json)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"Mesh\": { \"Listen\": \"10.1.0.1:7900\" } }", "Mesh.Site: missing")]
    [InlineData("{ \"Mesh\": { \"Seeds\": [\"10.1.0.1:7900\"] } }", "Mesh.Listen: missing")]
    public void A_mesh_needs_an_address_and_a_key(string json, string expected) =>
        Assert.Contains(Faults(json), fault => fault.StartsWith(expected, StringComparison.Ordinal));

    [Fact]
    public void The_API_over_TLS_is_there_with_or_without_the_plain_one_and_needs_a_site()
    {
        const string mesh = """{ "Listen": "10.1.0.1:7900", "Site": "/s" }""";
        var both = Read($$"""{ "Api": { "Listen": "127.0.0.1:8080", "Tls": { "Listen": "0.0.0.0:8443" } }, "Mesh": {{mesh}} }""");
        Assert.Equal(("127.0.0.1:8080", "0.0.0.0:8443"), (both.ApiListen!.ToString(), both.ApiTlsListen!.ToString()));
        var one = Read($$"""{ "Api": { "Tls": { "Listen": "0.0.0.0:8443" } }, "Mesh": {{mesh}} }""");
        Assert.Equal((null, "0.0.0.0:8443"), (one.ApiListen, one.ApiTlsListen!.ToString()));
        Assert.StartsWith("Api.Tls.Listen: Mesh.Site is missing", Faults("""{ "Api": { "Tls": { "Listen": "0.0.0.0:8443" } } }""").Single(), StringComparison.Ordinal);
        Assert.StartsWith("Api.Tls.Listen: '8443' is no address", Faults($$"""{ "Api": { "Tls": { "Listen": "8443" } }, "Mesh": {{mesh}} }""").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_have_their_targets_and_names()
    {
        var read = Read("""{ "Links": { "Targets": ["203.0.113.1:443", "[2001:db8::1]:53"], "Names": ["eth0", "wwan0"], "Kinds": ["usb0=cellular", "a=b=6lowpan"] } }""").Links;
        Assert.Equal(["203.0.113.1:443", "[2001:db8::1]:53"], read.Targets.Select(one => one.ToString()));
        Assert.Equal(["eth0", "wwan0"], read.Names);
        Assert.Equal([new("usb0", LinkKind.Cellular), new("a=b", LinkKind.SixLowpan)], read.Kinds);
        Assert.Empty(Read("{}").Links.Targets);
    }

    [Theory]
    [InlineData(""" "Targets": ["example.com:443"] """, "Links.Targets: 'example.com:443' is no address and port")]
    [InlineData(""" "Targets": ["127.0.0.1:443"] """, "Links.Targets: 127.0.0.1:443 is not on the Internet")]
    [InlineData(""" "Targets": ["0.0.0.0:443"] """, "Links.Targets: 0.0.0.0:443 is not on the Internet")]
    [InlineData(""" "Targets": ["9.9.9.1:1","9.9.9.2:1","9.9.9.3:1","9.9.9.4:1","9.9.9.5:1","9.9.9.6:1","9.9.9.7:1","9.9.9.8:1","9.9.9.9:1"] """, "Links.Targets: 9 addresses, and 8 at most are asked")]
    [InlineData(""" "Names": ["../eth0"] """, "Links.Names: '../eth0' is no name of an interface")]
    [InlineData(""" "Names": ["sixteen-letters0"] """, "Links.Names: 'sixteen-letters0' is no name of an interface")]
    [InlineData(""" "Kinds": ["usb0=modem"] """, "Links.Kinds: 'usb0=modem' is not NAME=KIND, with other, ethernet, wifi, cellular, 6lowpan as kinds")]
    [InlineData(""" "Kinds": ["usb0"] """, "Links.Kinds: 'usb0' is not NAME=KIND")]
    [InlineData(""" "Kinds": ["a=wifi", "a=other"] """, "Links.Kinds: 'a' is given twice")]
    public void Links_that_cannot_be_asked_or_watched_are_refused(string links, string fault) =>
        Assert.Contains(Faults($"{{ \"Links\": {{ {links} }} }}"), one => one.StartsWith(fault, StringComparison.Ordinal));

    [Theory]
    [InlineData("10.0.0.1:7900", "", 61616)]
    [InlineData("127.0.0.1:7900", "", null)]
    [InlineData("127.0.0.1:7900", """, "Overlay": { "Port": 5000 }""", 5000)]
    [InlineData("10.0.0.1:7900", """, "Overlay": { "Port": 0 }""", null)]
    public void The_overlay_has_a_port_unless_the_mesh_is_of_this_machine_only(string listen, string overlay, int? port) => Assert.Equal(
        port, Read($$"""{ "Mesh": { "Listen": "{{listen}}", "SiteKey": "{{Convert.ToBase64String(new byte[32])}}" }{{overlay}} }""").Mesh!.OverlayPort);

    [Fact]
    public void A_number_may_come_from_the_environment()
    {
        const string json = """{ "Mesh": { "Listen": "10.0.0.1:7900", "SiteKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" } }""";
        Assert.Equal(5001, Read(json, ("EDGE__Overlay__Port", "5001")).Mesh!.OverlayPort);
        Assert.Throws<ConfigurationException>(() => Read(json, ("EDGE__Overlay__Port", "many")));
        Assert.Throws<ConfigurationException>(() => Read(json, ("EDGE__Overlay__Port", "70000")));
    }

    [Theory]
    [InlineData("gate-1", true)]
    [InlineData("-gate", false)]
    [InlineData("gate 1", false)]
    [InlineData("gäte", false)]
    public void A_name_is_a_DNS_label(string name, bool isRight) =>
        Assert.Equal(isRight ? 0 : 1, Count($$"""{ "Node": { "Name": "{{name}}" } }"""));

    [Fact]
    public void The_environment_overrides_the_file()
    {
        const string json = """{ "Node": { "Name": "file" }, "Mqtt": { "Listen": ["1.1.1.1:1", "2.2.2.2:2"] } }""";
        Assert.Equal("env", Read(json, ("EDGE__Node__Name", "env")).Name);
        Assert.True(Read(json, ("EDGE__Mqtt__AllowAnonymous", "True")).AllowAnonymous);
        Assert.Equal(["3.3.3.3:3", "4.4.4.4:4"], Listen(Read(json, ("EDGE__Mqtt__Listen", "3.3.3.3:3, 4.4.4.4:4"))));
        Assert.Equal(["1.1.1.1:1", "5.5.5.5:5"], Listen(Read(json, ("EDGE__Mqtt__Listen__1", "5.5.5.5:5"))));
        Assert.Equal(["6.6.6.6:6", "2.2.2.2:2"], Listen(Read(json, ("EDGE__Mqtt__Listen__0", "6.6.6.6:6"))));
        Assert.Empty(Listen(Read(json, ("EDGE__Mqtt__Listen", ""))));
    }

    [Theory]
    [InlineData("EDGE__Mqtt__Listen__x", "1.1.1.1:1")]
    [InlineData("EDGE__Mqtt__Listen__64", "1.1.1.1:1")]
    [InlineData("EDGE__Mqtt__Listen__2", "1.1.1.1:1")] // leaves gaps
    [InlineData("EDGE__Mqtt__AllowAnonymous", "yes")]
    [InlineData("EDGE__Node__Name__0", "x")]
    public void A_wrong_variable_is_named_or_what_it_makes(string name, string value) => Assert.NotEmpty(Faults("{}", (name, value)));

    [Fact]
    public void A_file_that_is_not_there_or_too_large_is_a_fault_that_names_it()
    {
        Assert.Contains("/none/such.json", Assert.Throws<ConfigurationException>(() => ConfigurationReader.ReadFile("/none/such.json", new Hashtable())).Message, StringComparison.Ordinal);
        var large = Path.GetTempFileName();
        File.WriteAllText(large, new string(' ', 300_000));
        Assert.Contains("256 KiB", Assert.Throws<ConfigurationException>(() => ConfigurationReader.ReadFile(large, new Hashtable())).Message, StringComparison.Ordinal);
        File.Delete(large);
    }

    private static NodeConfiguration Read(string json, params (string Name, string Value)[] environment) =>
        ConfigurationReader.Read(json, new Hashtable(environment.ToDictionary(one => one.Name, one => one.Value)), "test.json");

    private static IReadOnlyList<string> Faults(string json, params (string Name, string Value)[] environment) =>
        Assert.Throws<ConfigurationException>(() => Read(json, environment)).Faults;

    private static int Count(string json)
    {
        try
        {
            Read(json);
            return 0;
        }
        catch (ConfigurationException error)
        {
            return error.Faults.Count;
        }
    }

    private static IEnumerable<string> Listen(NodeConfiguration read) => read.MqttListen.Select(one => one.ToString());
}
