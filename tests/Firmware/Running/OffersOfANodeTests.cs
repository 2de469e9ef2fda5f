using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Tests.Running;

public sealed class OffersOfANodeTests
{
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task What_a_node_and_its_peers_offer_is_retained_and_shown_and_goes_with_the_peer()
    {
        var port = 0;
        await using var gate = await NodeUnderTest.StartAsync(allowAnonymous: true, api: IPAddress.Loopback, mesh: IPAddress.Loopback, change: configuration =>
        {
            port = configuration.Mesh!.Listen.Port;
            return configuration with { Labels = ["floor=2", "roof"] };
        });
        await using var client = new MqttClient(new MqttClientOptions { Server = new IPEndPoint(IPAddress.Loopback, await gate.MqttPortAsync()), ClientId = "watcher" });
        await client.ConnectAsync(_limit);
        await client.SubscribeAsync("edge/v1/+/+/offer", QoS.AtLeastOnce, _limit);
        await using var offers = client.Messages(_limit).GetAsyncEnumerator(_limit);

        var own = await NextAsync(offers, "gate-1");
        Assert.Equal("application/json", own.Message.ContentType);
        Assert.InRange(own.Message.MessageExpirySeconds!.Value, 1u, 900u);
        var json = JsonNode.Parse(own.Message.Payload.Span)!;
        Assert.Equal(own.Message.Topic, $"edge/v1/{json["id"]}/offer");
        Assert.Equal((0, "no container engine answers", 900), (json["level"]!.GetValue<int>(), json["levelWhy"]!.GetValue<string>(), json["validSeconds"]!.GetValue<int>()));
        Assert.Contains("roof", Words(json["labels"]!));
        Assert.Equal(0, json["outlook"]!["failure"]!.GetValue<double>());

        await using (await NodeUnderTest.StartAsync(mesh: IPAddress.Loopback, change: configuration => configuration with
        {
            Name = "barn", Labels = ["barn"], Mesh = configuration.Mesh! with { Seeds = [new IPEndPoint(IPAddress.Loopback, port)] },
        }))
        {
            var peer = await NextAsync(offers, "barn");
            Assert.Equal("barn", JsonNode.Parse(peer.Message.Payload.Span)!["name"]!.GetValue<string>());

            await gate.UntilAsync(async () => (await PeerAsync(gate))?["reach"]?.GetValue<string>() == "direct");
            var shown = (await PeerAsync(gate))!;
            Assert.Equal(("alive", false), (shown["status"]!.GetValue<string>(), shown["draining"]!.GetValue<bool>()));
            Assert.InRange(shown["offerExpiresSeconds"]!.GetValue<double>() + shown["offerAgeSeconds"]!.GetValue<double>(), 899, 901);
            var (_, table, _) = await gate.CommandAsync("peers");
            Assert.Matches("NAME +STATUS +LEVEL .* REACH +LINKS +LABELS +FORECAST +FAILURE +OFFER", table);
            Assert.Matches("barn +alive +0 .* direct .* -  +0 % .*15 min left", table);
        }

        var gone = await NextAsync(offers, "barn");
        Assert.True(gone.Message.Payload.IsEmpty);
        Assert.Contains("edge_oom_kills_total", await MetricsAsync(gate), StringComparison.Ordinal);
        Assert.Contains("edge_storage_written_bytes_total", await MetricsAsync(gate), StringComparison.Ordinal);
        var (_, status, _) = await gate.CommandAsync("status");
        Assert.Matches("health  .*\nlinks  .*floor=2.*roof.*\nforecast   -, likelihood of failure 0 %", status);
    }

    [Fact]
    public async Task Offers_of_the_run_before_are_not_believed()
    {
        var directory = Directory.CreateTempSubdirectory("edge-node-").FullName;
        await using var node = await NodeUnderTest.StartAsync(allowAnonymous: true, directory: directory);
        await node.CommandAsync("pub", "-t", "edge/v1/lost/02:00:00:00:00:01/offer", "-m", "{}", "-r", "-q", "1");
        await using var again = await RestartAsync(node, directory);
        await using var client = new MqttClient(new MqttClientOptions { Server = new IPEndPoint(IPAddress.Loopback, await again.MqttPortAsync()), ClientId = "watcher" });
        await client.ConnectAsync(_limit);
        await client.SubscribeAsync("edge/v1/#", QoS.AtLeastOnce, _limit);
        await using var offers = client.Messages(_limit).GetAsyncEnumerator(_limit);
        await offers.MoveNextAsync();
        Assert.StartsWith("edge/v1/gate-1/", offers.Current.Message.Topic, StringComparison.Ordinal);
    }

    private static async Task<NodeUnderTest> RestartAsync(NodeUnderTest node, string directory)
    {
        var copy = Directory.CreateTempSubdirectory("edge-node-").FullName;
        await node.StopAsync();
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories))
            if (Path.GetExtension(file) != ".sock")
            {
                var to = Path.Combine(copy, Path.GetRelativePath(directory, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to, overwrite: true);
            }
        return await NodeUnderTest.StartAsync(allowAnonymous: true, directory: copy);
    }

    private static async Task<ReceivedMessage> NextAsync(IAsyncEnumerator<ReceivedMessage> offers, string name)
    {
        while (await offers.MoveNextAsync())
            if (offers.Current.Message.Topic.StartsWith($"edge/v1/{name}/", StringComparison.Ordinal))
                return offers.Current;
        throw new EndOfStreamException($"no offer of {name}");
    }

    private static IEnumerable<string> Words(JsonNode list) => list.AsArray().Select(word => word!.GetValue<string>());

    private static async Task<JsonNode?> PeerAsync(NodeUnderTest node)
    {
        using var http = new HttpClient { BaseAddress = node.Api };
        return JsonNode.Parse(await http.GetStringAsync("/api/v1/peers"))!.AsArray().FirstOrDefault();
    }

    private static async Task<string> MetricsAsync(NodeUnderTest node)
    {
        using var http = new HttpClient { BaseAddress = node.Api };
        return await http.GetStringAsync("/metrics");
    }
}
