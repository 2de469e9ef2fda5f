using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Tests.Running;

public sealed class BridgesOfANodeTests
{
    [Fact]
    public async Task A_node_forwards_to_another_broker_and_shows_it_everywhere()
    {
        await using var cloud = await MqttBroker.StartAsync(new BrokerOptions { Identity = "cloud" }, BrokerEndpoint.Tcp(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)cloud.Endpoints[0].Address).Port;
        var arrived = new TaskCompletionSource<MqttMessage>();
        cloud.Subscribe("site/data/#", message => arrived.TrySetResult(message));
        cloud.Publish(new MqttMessage { Topic = "edge/v1/forged", Payload = "x"u8.ToArray(), Retain = true });
        await using var node = await NodeUnderTest.StartAsync(allowAnonymous: true, api: IPAddress.Loopback, bridges:
        [
            new BridgeConfiguration
            {
                Name = "cloud", Host = "localhost", Port = port, Version = ProtocolVersion.V5, ClientId = "gate-1.cloud",
                Topics = [new BridgeTopic("data/#", BridgeDirection.Out, RemotePrefix: "site/"), new BridgeTopic("edge/#", BridgeDirection.In)],
                QueuedMessagesMax = 1000, QueuedBytesMax = 1 << 20, MessageAgeMax = TimeSpan.Zero, KeepsQoS0 = true,
            },
        ]);
        await node.UntilAsync(async () => (await ShownAsync(node))["connected"]!.GetValue<bool>());
        Assert.Equal(ExitCode.Done, (await node.CommandAsync("pub", "-t", "data/x", "-m", "21", "-q", "1")).Code);
        Assert.Equal("21", Encoding.UTF8.GetString((await arrived.Task.WaitAsync(TimeSpan.FromSeconds(20))).Payload.Span));
        await node.UntilAsync(async () => (await ShownAsync(node)) is var shown && shown["forwarded"]!.GetValue<long>() == 1 && shown["dropped"]!["not-allowed"] is not null);

        var (_, table, _) = await node.CommandAsync("bridges");
        Assert.Contains($"localhost:{port}  connected", table, StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = node.Api };
        Assert.Equal("cloud", JsonNode.Parse(await http.GetStringAsync("/api/v1/bridges"))![0]!["remote"]!.GetValue<string>());
        Assert.Contains("edge_bridge_connected{bridge=\"cloud\"} 1", await http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_that_cannot_be_read_is_a_fault_of_the_configuration()
    {
        await using var broker = new MqttBroker(new BrokerOptions { Identity = "x" });
        var bridge = new BridgeConfiguration
        {
            Name = "cloud", Host = "localhost", Port = 1, Version = ProtocolVersion.V5, ClientId = "c", PasswordFile = "/nonexistent/password",
            Topics = [new BridgeTopic("#")], QueuedMessagesMax = 1, QueuedBytesMax = 1, MessageAgeMax = TimeSpan.Zero, KeepsQoS0 = true,
        };
        Assert.Contains("/nonexistent/password", Assert.Throws<ConfigurationException>(() => NodeBridges.Start(broker, [bridge], null)).Message, StringComparison.Ordinal);
    }

    private static async Task<JsonNode> ShownAsync(NodeUnderTest node) => JsonNode.Parse((await node.CommandAsync("bridges", "--json")).Output)![0]!;
}
