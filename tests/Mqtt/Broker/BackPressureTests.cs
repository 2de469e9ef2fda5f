using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

/// <summary>What clients together can make the broker hold is bounded, and each bound has its counter.</summary>
public sealed class BackPressureTests
{
    private static readonly string FourKilobytes = new('x', 4096);

    [Fact]
    public async Task A_publisher_is_slowed_and_then_refused_when_what_it_sends_would_have_to_be_kept_and_memory_is_used_up()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HeldBytesMax = 64 << 10);
        await LeaveAsync(loopback, "away", "away/#");
        using var present = await loopback.ConnectRawAsync("present");
        await SubscribeAsync(present, "present/#");
        using var publisher = await loopback.ConnectRawAsync("p");

        var reason = ReasonCode.Success;
        var accepted = 0;
        for (ushort id = 1; id < 100 && reason == ReasonCode.Success; id++)
        {
            await publisher.SendAsync(Messages.Publish(Messages.Message("away/1", FourKilobytes, QoS.AtLeastOnce), id));
            reason = (await publisher.ReceiveAckAsync(PacketType.PubAck)).Reason;
            if (reason == ReasonCode.Success) accepted++;
        }

        Assert.Equal(ReasonCode.QuotaExceeded, reason);
        var statistics = loopback.Broker.Statistics;
        Assert.InRange(statistics.HeldBytes, 48 << 10, 64 << 10);
        Assert.Equal((accepted, 1, 1), (statistics.MessagesQueued, statistics.Hits(BrokerLimit.HeldBytes), statistics.MessagesDropped));
        Assert.InRange(statistics.PublishersSlowed, 1, accepted);

        await publisher.SendAsync(Messages.Publish(Messages.Message("present/1", FourKilobytes, QoS.AtLeastOnce), 200));
        Assert.Equal(ReasonCode.Success, (await publisher.ReceiveAckAsync(PacketType.PubAck)).Reason);
        Assert.Equal("present/1", (await present.ReceiveAsync<PublishPacket>()).Message.Topic);
        await present.SendAsync(Messages.Ack(PacketType.PubAck, 1));

        loopback.Broker.EndSession("away");
        await Within.Until(() => loopback.Broker.Statistics.HeldBytes == 0, "nothing is held any more");
    }

    [Fact]
    public async Task A_publisher_of_3_1_1_is_disconnected_instead_because_it_cannot_be_told()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HeldBytesMax = 64 << 10);
        await LeaveAsync(loopback, "away", "away/#");
        using var publisher = await loopback.ConnectRawAsync("p", ProtocolVersion.V311);
        var answered = 0;
        for (ushort id = 1; id < 100; id++, answered++)
        {
            await publisher.SendAsync(Messages.Publish(Messages.Message("away/1", FourKilobytes, QoS.AtLeastOnce), id));
            if (await publisher.ReceiveAsync() is null) break;
        }

        Assert.Equal((answered, 1), (loopback.Broker.Statistics.MessagesQueued, loopback.Broker.Statistics.Hits(BrokerLimit.HeldBytes)));
    }

    [Fact]
    public async Task What_is_in_flight_to_one_client_is_bounded_in_bytes_too()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.QueuedBytesMax = 10_000);
        using var subscriber = await loopback.ConnectRawAsync("s");
        await SubscribeAsync(subscriber, "t");
        for (var i = 0; i < 20; i++) loopback.Broker.Publish(Messages.Message("t", FourKilobytes, QoS.AtLeastOnce));
        var statistics = loopback.Broker.Statistics;
        Assert.Equal((2, 16), (statistics.MessagesOut, statistics.MessagesDropped));
        Assert.InRange(statistics.HeldBytes, 4 * 4096, 20_000);
        await subscriber.ReceiveAsync<PublishPacket>();
        await subscriber.SendAsync(Messages.Ack(PacketType.PubAck, 1));
        await Within.Until(() => loopback.Broker.Statistics.MessagesOut == 3, "the next goes out when one is acknowledged");
    }

    [Fact]
    public async Task Wills_count_and_are_refused_when_there_is_no_room_for_them()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HeldBytesMax = 96 << 10);
        var will = new LastWill(Messages.Message("will", new string('x', 45 << 10)));
        using var first = await loopback.ConnectRawAsync(Messages.Connect("first", will: will));
        using var second = await loopback.ConnectRawAsync(Messages.Connect("second", will: will));
        Assert.InRange(loopback.Broker.Statistics.HeldBytes, 90 << 10, 96 << 10);
        using var third = await loopback.OpenRawAsync();
        await third.SendAsync(Messages.Connect("third", will: will));
        Assert.Equal(ReasonCode.QuotaExceeded, (await third.ReceiveAsync<ConnAckPacket>()).Reason);
        await first.SendAsync(new ReasonPacket(PacketType.Disconnect));
        await second.SendAsync(new ReasonPacket(PacketType.Disconnect));
        await Within.Until(() => loopback.Broker.Statistics.HeldBytes == 0, "the wills are gone with their clients");
    }

    [Fact]
    public async Task Subscriptions_of_all_clients_together_are_bounded()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.SubscriptionBytesMax = 1_500);
        using var raw = await loopback.ConnectRawAsync("r");
        var deep = string.Join('/', Enumerable.Range(0, 8));
        await SubscribeAsync(raw, deep);
        await raw.SendAsync(new SubscribePacket { PacketId = 2, Entries = [new(deep + "/#", new SubscriptionOptions())] });
        Assert.Equal([ReasonCode.QuotaExceeded], (await raw.ReceiveAsync<SubAckPacket>()).Reasons);
        Assert.InRange(loopback.Broker.Statistics.SubscriptionBytes, 900, 1_500);
        await raw.SendAsync(new UnsubscribePacket { PacketId = 3, Filters = [deep] });
        await raw.ReceiveAsync<SubAckPacket>();
        Assert.Equal(0, loopback.Broker.Statistics.SubscriptionBytes);
    }

    [Fact]
    public async Task Buffers_that_grew_with_the_traffic_and_are_left_with_a_part_of_a_packet_stay_within_a_bound()
    {
        const int Clients = 20;
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HeldBytesMax = 256 << 10);
        var one = Bytes.Of(Messages.Publish(Messages.Message("nobody", new string('x', 1000))), ProtocolVersion.V5);
        byte[] burst = [.. Enumerable.Repeat(one, 300).SelectMany(bytes => bytes), .. one.AsSpan(0, 100)];
        var clients = new List<RawClient>();
        for (var i = 0; i < Clients; i++)
        {
            clients.Add(await loopback.ConnectRawAsync($"c{i}"));
            await clients[i].SendAsync(burst);
        }

        await Within.Until(() => loopback.Broker.Statistics.MessagesIn == Clients * 300, "all of it is read");
        Assert.InRange(loopback.Broker.Statistics.ReceivingBytes, Clients * 100, (64 << 10) + (64 << 10) + (Clients * 2048));
        foreach (var client in clients) client.Dispose();
    }

    [Fact]
    public async Task Of_too_many_connections_without_CONNECT_the_oldest_goes()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HandshakesMax = 2);
        using var first = await loopback.OpenRawAsync();
        await Within.Until(() => loopback.Broker.Statistics.Connections == 1, "the first is accepted");
        using var second = await loopback.OpenRawAsync();
        await Within.Until(() => loopback.Broker.Statistics.Connections == 2, "the second is accepted");
        using var client = await loopback.ConnectRawAsync("client");
        Assert.Null(await first.ReceiveAsync());
        Assert.Equal(1, loopback.Broker.Statistics.Hits(BrokerLimit.Handshakes));
        await second.SendAsync(Messages.Connect("late"));
        Assert.Equal(ReasonCode.Success, (await second.ReceiveAsync<ConnAckPacket>()).Reason);
    }

    [Fact]
    public async Task Packets_that_have_come_in_part_are_bounded()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.HeldBytesMax = 256 << 10);
        var beginning = Bytes.Of(Messages.Publish(Messages.Message("t", new string('x', 100_000))), ProtocolVersion.V5)[..1000];
        using var first = await loopback.ConnectRawAsync("first");
        await first.SendAsync(beginning);
        await Within.Until(() => loopback.Broker.Statistics.ReceivingBytes > 100_000, "room is made for the packet");
        using var second = await loopback.ConnectRawAsync("second");
        await second.SendAsync(beginning);
        Assert.Equal(ReasonCode.QuotaExceeded, (await second.ReceiveAsync<ReasonPacket>()).Reason);
        first.Dispose();
        await Within.Until(() => loopback.Broker.Statistics.ReceivingBytes == 0, "the room is given back");
    }

    [Fact]
    public async Task Subscribing_again_and_again_does_not_send_retained_messages_without_end()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.QueuedMessagesMax = 5);
        for (var i = 0; i < 20; i++) loopback.Broker.Publish(Messages.Message($"r/{i}", "x", QoS.AtLeastOnce, retain: true));
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new PacketProperties { ReceiveMaximum = 1 }));
        await SubscribeAsync(raw, "r/#");
        Assert.Equal((1, 5, 14), Counted());
        await raw.ReceiveAsync<PublishPacket>();
        await SubscribeAsync(raw, "r/#");
        Assert.Equal((1, 5, 14), Counted());

        (long Out, long Queued, long Dropped) Counted() =>
            loopback.Broker.Statistics is var now ? (now.MessagesOut, now.MessagesQueued, now.MessagesDropped) : default;
    }

    private static async Task SubscribeAsync(RawClient raw, string filter)
    {
        await raw.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new(filter, new SubscriptionOptions(QoS.ExactlyOnce))] });
        await raw.ReceiveAsync<SubAckPacket>();
    }

    /// <summary>A session that waits for its client.</summary>
    private static async Task LeaveAsync(LoopbackBroker loopback, string clientId, string filter)
    {
        using var raw = await loopback.ConnectRawAsync(Messages.Keep(clientId));
        await SubscribeAsync(raw, filter);
        await raw.SendAsync(new ReasonPacket(PacketType.Disconnect));
        await loopback.AwayAsync(clientId);
    }
}
