using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

public sealed class SessionTests
{
    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_persistent_session_keeps_subscriptions_and_messages_while_its_client_is_away(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var first = await ConnectPersistentAsync(loopback, version);
        await first.SubscribeAsync("a", QoS.ExactlyOnce);
        await first.DisconnectAsync();
        for (var i = 0; i < 5; i++) loopback.Broker.Publish(Messages.Message("a", $"{i}", (QoS)(1 + (i % 2))));

        var second = loopback.NewClient("keep", options => Persist(options, version));
        Assert.True((await second.ConnectAsync()).SessionPresent);
        for (var i = 0; i < 5; i++) Assert.Equal($"{i}", (await Within.Reason(second.ReceiveAsync())).Message.Text());
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_clean_start_forgets_the_session(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var first = await ConnectPersistentAsync(loopback, version);
        await first.SubscribeAsync("a");
        await first.DisconnectAsync();
        var second = loopback.NewClient("keep", options => options.Version = version);
        Assert.False((await second.ConnectAsync()).SessionPresent);
        Assert.Equal(0, loopback.Broker.Statistics.Subscriptions);
        await second.DisconnectAsync();
        await Within.Until(() => loopback.Broker.Statistics.Sessions == 0, "a session without expiry ends with its connection");
    }

    [Fact]
    public async Task A_session_expires_after_its_interval()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        var client = await ConnectPersistentAsync(loopback, ProtocolVersion.V5);
        await client.DisconnectAsync();
        await Within.Until(() => !loopback.Broker.Clients[0].Connected, "disconnected");
        time.AdvanceSeconds(98);
        Assert.Single(loopback.Broker.Clients);
        time.AdvanceSeconds(4);
        Assert.Empty(loopback.Broker.Clients);
    }

    [Fact]
    public async Task Unacknowledged_messages_are_repeated_with_DUP_after_a_broken_connection()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var connect = new ConnectPacket
        {
            Version = ProtocolVersion.V5, ClientId = "r", Properties = new PacketProperties { SessionExpirySeconds = 100 },
        };
        using (var raw = await loopback.OpenRawAsync())
        {
            await raw.SendAsync(connect);
            await raw.ReceiveAsync<ConnAckPacket>();
            await raw.SubscribeAsync("a", QoS.ExactlyOnce);
            loopback.Broker.Publish(Messages.Message("a", "one", QoS.AtLeastOnce));
            loopback.Broker.Publish(Messages.Message("a", "two", QoS.ExactlyOnce));
            await raw.ReceiveAsync<PublishPacket>();
            var two = await raw.ReceiveAsync<PublishPacket>();
            await raw.SendAsync(Messages.Ack(PacketType.PubRec, two.PacketId));
            await raw.ReceiveAckAsync(PacketType.PubRel);
        }

        using var again = await loopback.OpenRawAsync();
        await again.SendAsync(connect);
        Assert.True((await again.ReceiveAsync<ConnAckPacket>()).SessionPresent);
        var release = await again.ReceiveAckAsync(PacketType.PubRel);
        var repeated = await again.ReceiveAsync<PublishPacket>();
        Assert.Equal(("one", true), (repeated.Message.Text(), repeated.Duplicate));
        await again.SendAsync(Messages.Ack(PacketType.PubAck, repeated.PacketId));
        await again.SendAsync(Messages.Ack(PacketType.PubComp, release.PacketId));
        await Within.Until(() => loopback.Broker.Clients[0].InFlight == 0, "all settled");
    }

    [Fact]
    public async Task A_second_connection_takes_the_session_over_and_the_first_is_told()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var first = await ConnectPersistentAsync(loopback, ProtocolVersion.V5);
        await first.SubscribeAsync("a");
        var second = loopback.NewClient("keep", options => Persist(options, ProtocolVersion.V5));
        Assert.True((await second.ConnectAsync()).SessionPresent);
        Assert.Equal(ReasonCode.SessionTakenOver, await Within.Reason(first.Disconnected));
        loopback.Broker.Publish(Messages.Message("a", "x", QoS.AtLeastOnce));
        Assert.Equal("x", (await Within.Reason(second.ReceiveAsync())).Message.Text());
        Assert.True(Assert.Single(loopback.Broker.Clients).Connected);
    }

    [Fact]
    public async Task Many_connections_fighting_for_one_id_leave_one_session_and_no_trace_of_the_losers()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var raws = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => loopback.ConnectRawAsync("same")));
        await Within.Until(() => loopback.Broker.Statistics is { Connections: 1, Sessions: 1 }, "one is left");
        foreach (var raw in raws) raw.Dispose();
        await Within.Until(() => loopback.Broker.Statistics is { Connections: 0, Sessions: 0 }, "none is left");
    }

    [Fact]
    public async Task Without_an_id_one_is_assigned()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var client = loopback.NewClient(string.Empty);
        var result = await client.ConnectAsync();
        Assert.StartsWith("auto-", result.ClientId, StringComparison.Ordinal);
        Assert.Equal(result.ClientId, Assert.Single(loopback.Broker.Clients).ClientId);
    }

    private static async Task<Mqtt.Client.MqttClient> ConnectPersistentAsync(LoopbackBroker loopback, ProtocolVersion version) =>
        await loopback.ConnectAsync("keep", options => Persist(options, version));

    private static void Persist(Mqtt.Client.MqttClientOptions options, ProtocolVersion version)
    {
        options.Version = version;
        options.CleanStart = false;
        options.SessionExpirySeconds = version == ProtocolVersion.V5 ? 100u : 0;
    }
}
