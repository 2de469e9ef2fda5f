using System.Collections;
using EdgeFirmware.Firmware.Configuration;

namespace EdgeFirmware.Firmware.Tests.Configuration;

public sealed class SensorNetReaderTests
{
    [Fact]
    public void Every_key_is_read()
    {
        var sensors = Read("""
            { "Listen": ["0.0.0.0:1884", "[fe80::1%1]:1884"], "User": "sensors", "PredefinedTopics": ["1=sensors/a", "2=a=b"], "GatewayId": 7 }
            """).SensorNet!;
        Assert.Equal(["0.0.0.0:1884", "[fe80::1%1]:1884"], sensors.Listen.Select(one => one.ToString()));
        Assert.Equal(("sensors", (byte)7), (sensors.User, sensors.GatewayId));
        Assert.Equal(["1 sensors/a", "2 a=b"], sensors.PredefinedTopics.Select(topic => $"{topic.Id} {topic.Name}"));
        Assert.Null(Read("{}").SensorNet);
    }

    [Fact]
    public void The_environment_can_say_it_too()
    {
        var environment = new Hashtable
        {
            ["EDGE__Mqtt__SensorNet__Listen"] = "127.0.0.1:1884", ["EDGE__Mqtt__SensorNet__User"] = "s", ["EDGE__Mqtt__SensorNet__PredefinedTopics__0"] = "9=x",
        };
        var sensors = ConfigurationReader.Read("{}", environment, "test.json").SensorNet!;
        Assert.Equal(("s", 9, (byte)1), (sensors.User, sensors.PredefinedTopics.Single().Id, sensors.GatewayId));
    }

    [Fact]
    public void Without_a_user_anybody_must_be_allowed()
    {
        Assert.StartsWith("Mqtt.SensorNet.User: missing; MQTT-SN has no passwords", Faults("""{ "Listen": ["0.0.0.0:1884"] }""").Single(), StringComparison.Ordinal);
        Assert.StartsWith("Mqtt.SensorNet.User: 'admin' may do everything", Faults("""{ "Listen": ["0.0.0.0:1884"], "User": "admin" }""").Single(), StringComparison.Ordinal);
        var anybody = ConfigurationReader.Read("""{ "Mqtt": { "AllowAnonymous": true, "SensorNet": { "Listen": ["0.0.0.0:1884"] } } }""", new Hashtable(), "test.json");
        Assert.Null(anybody.SensorNet!.User);
    }

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var faults = Faults("""
            { "Listen": ["1884"], "User": "s", "PredefinedTopics": ["0=a", "65535=a", "x=a", "1=a/#", "1", "2=a", "2=b"], "GatewayId": 256, "Port": 1 }
            """);
        foreach (var named in (string[])["Listen: '1884'", "PredefinedTopics: '0=a'", "PredefinedTopics: '65535=a'", "PredefinedTopics: 'x=a'", "PredefinedTopics: '1=a/#'",
            "PredefinedTopics: '1' is not", "PredefinedTopics: 2 is given twice", "GatewayId: 256", "Port: unknown key"])
            Assert.Contains(faults, fault => fault.StartsWith($"Mqtt.SensorNet.{named}", StringComparison.Ordinal));
        Assert.StartsWith("Mqtt.SensorNet.Listen: missing", Faults("""{ "User": "s" }""").Single(), StringComparison.Ordinal);
    }

    private static NodeConfiguration Read(string sensors) => ConfigurationReader.Read($$"""{ "Mqtt": { "SensorNet": {{sensors}} } }""", new Hashtable(), "test.json");

    private static IReadOnlyList<string> Faults(string sensors) => Assert.Throws<ConfigurationException>(() => Read(sensors)).Faults;
}
