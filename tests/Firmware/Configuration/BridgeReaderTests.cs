using System.Collections;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Bridge;

namespace EdgeFirmware.Firmware.Tests.Configuration;

public sealed class BridgeReaderTests
{
    [Fact]
    public void A_bridge_is_read_with_all_it_may_say()
    {
        var bridge = Assert.Single(Read("""
            { "Name": "cloud", "Address": "broker.example.com:8884", "Version": "3.1.1", "ClientId": "c", "User": "u", "PasswordFile": "/p", "QueuedMessagesMax": 5,
              "QueuedBytesMax": 6, "MessageAgeSecondsMax": 7, "KeepQoS0": false,
              "Topics": [{ "Filter": "#", "Direction": "out", "QoS": 2, "LocalPrefix": "l/", "RemotePrefix": "r/", "Priority": 3 }] }
            """));
        Assert.Equal(("cloud", "broker.example.com", 8884, ProtocolVersion.V311, "c", "u", "/p"), (bridge.Name, bridge.Host, bridge.Port, bridge.Version, bridge.ClientId, bridge.User, bridge.PasswordFile));
        Assert.Equal((5, 6L, TimeSpan.FromSeconds(7), false), (bridge.QueuedMessagesMax, bridge.QueuedBytesMax, bridge.MessageAgeMax, bridge.KeepsQoS0));
        Assert.Equal(new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce, "l/", "r/", 3), Assert.Single(bridge.Topics));
    }

    [Theory]
    [InlineData("broker", "broker", 1883)]
    [InlineData("10.0.0.1:1884", "10.0.0.1", 1884)]
    [InlineData("[fd00::1]:1884", "fd00::1", 1884)]
    public void An_address_is_a_host_or_a_host_and_a_port(string text, string host, int port)
    {
        var bridge = Assert.Single(Read($$"""{ "Name": "b", "Address": "{{text}}", "Topics": [{ "Filter": "#" }] }"""));
        Assert.Equal((host, port, "gate-1.b", BridgeDirection.Both), (bridge.Host, bridge.Port, bridge.ClientId, bridge.Topics[0].Direction));
    }

    [Theory]
    [InlineData("""{ "Name": "b", "Address": "a", "Tls": true, "Topics": [{ "Filter": "#" }] }""", "[0].Tls: an object")]
    [InlineData("""{ "Name": "b", "Address": "a", "Tls": { "KeyFile": "/k" }, "Topics": [{ "Filter": "#" }] }""", "go together")]
    [InlineData("5", "[0]: an object is needed")]
    [InlineData("""{ "Name": "b", "Topics": [{ "Filter": "#" }] }""", "[0].Address")]
    [InlineData("""{ "Name": "b", "Address": "a/b", "Topics": [{ "Filter": "#" }] }""", "[0].Address")]
    [InlineData("""{ "Name": "b/c", "Address": "a", "Topics": [{ "Filter": "#" }] }""", "no name for a bridge")]
    [InlineData("""{ "Name": "b", "Address": "a" }""", "[0].Topics")]
    [InlineData("""{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "a/#/b" }] }""", "no topic filter")]
    [InlineData("""{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "#", "QoS": 3 }] }""", "Topics[0].QoS")]
    [InlineData("""{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "#", "Direction": "Up" }] }""", "In, Out or Both")]
    [InlineData("""{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "#", "Prefix": "x" }] }""", "Topics[0].Prefix: unknown key")]
    [InlineData("""{ "Name": "b", "Address": "a", "Version": "4", "Topics": [{ "Filter": "#" }] }""", "[0].Version")]
    [InlineData("""{ "Name": "b", "Address": "a", "KeepQoS0": 1, "Topics": [{ "Filter": "#" }] }""", "true or false")]
    [InlineData("""{ "Name": "b", "Node": "n", "Address": "a", "Topics": [{ "Filter": "#" }] }""", "[0].Address: not for a node of the site")]
    [InlineData("""{ "Name": "b", "Node": "n", "User": "u", "Topics": [{ "Filter": "#" }] }""", "[0].User: not for a node of the site")]
    [InlineData("""{ "Name": "b", "Node": "n", "Topics": [{ "Filter": "#", "Direction": "Both" }] }""", "only Out goes to a node")]
    [InlineData("""{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "#" }] }, { "Name": "b", "Address": "a", "Topics": [{ "Filter": "#" }] }""", "used twice")]
    public void What_is_wrong_is_named_with_its_place(string json, string fault) =>
        Assert.Contains(Assert.Throws<ConfigurationException>(() => Read(json)).Faults, one => one.Contains(fault, StringComparison.Ordinal));

    [Fact]
    public void A_node_of_the_site_is_named_instead_of_an_address()
    {
        var bridge = Assert.Single(Read("""{ "Name": "b", "Node": "gate-2", "Topics": [{ "Filter": "#", "Priority": 1 }] }"""));
        Assert.Equal(("gate-2", BridgeDirection.Out), (bridge.Node, bridge.Topics[0].Direction));
        var options = BridgeReader.OptionsOf(bridge, null, null);
        Assert.Null(options.Remote);
        Assert.Empty(options.Faults);
    }

    [Fact]
    public void Tls_is_asked_for_by_an_object_and_has_its_own_port()
    {
        var bridge = Assert.Single(Read("""{ "Name": "b", "Address": "a", "Tls": { "AuthorityFile": "/ca" }, "Topics": [{ "Filter": "#" }] }"""));
        Assert.Equal((8883, "/ca"), (bridge.Port, bridge.Tls!.AuthorityFile));
        Assert.Equal("/ca", BridgeReader.OptionsOf(bridge, null, null).Remote!.Tls!.AuthorityFile);
    }

    [Fact]
    public void The_environment_can_say_it_too()
    {
        var environment = new Hashtable { ["EDGE__Mqtt__Bridges"] = """[{ "Name": "b", "Address": "a", "Topics": [{ "Filter": "#" }] }]""" };
        Assert.Equal("b", Assert.Single(ConfigurationReader.Read("{}", environment, "test").Bridges).Name);
        environment["EDGE__Mqtt__Bridges"] = "[{";
        Assert.Throws<ConfigurationException>(() => ConfigurationReader.Read("{}", environment, "test"));
    }

    private static IReadOnlyList<BridgeConfiguration> Read(string bridges) =>
        ConfigurationReader.Read($$"""{ "Node": { "Name": "gate-1" }, "Mqtt": { "Bridges": [{{bridges}}] } }""", new Hashtable(), "test").Bridges;
}
