using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Broker;

/// <summary>What a connection is told when it ends, and that it is told nothing more.</summary>
public sealed class LastWordTests
{
    [Fact]
    public async Task Nothing_follows_a_DISCONNECT_though_the_packet_before_it_made_room_for_more()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await RawClient.ConnectAsync(loopback.Address, Messages.Keep("a", properties: new() { ReceiveMaximum = 1 }));
        await raw.SubscribeAsync("t", QoS.AtLeastOnce);
        for (var i = 0; i < 3; i++) loopback.Broker.Publish(Messages.Message("t", $"{i}", QoS.AtLeastOnce));
        var first = await raw.ReceiveAsync<PublishPacket>();
        await raw.SendAsync([.. Bytes.Of(Messages.Ack(PacketType.PubAck, first.PacketId), ProtocolVersion.V5), 0, 0]);
        Assert.Equal(ReasonCode.MalformedPacket, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task A_second_CONNECT_is_a_protocol_error_whatever_is_wrong_with_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("a");
        await raw.SendAsync("10 0D 0004 4D515454 09 02 0000 00 0000");
        Assert.Equal(ReasonCode.ProtocolError, (await raw.ReceiveAsync<ReasonPacket>()).Reason);
        Assert.Null(await raw.ReceiveAsync());
    }

    [Fact]
    public async Task A_client_too_small_for_its_CONNACK_is_sent_nothing_of_what_waits_for_it()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using (var raw = await RawClient.ConnectAsync(loopback.Address, Messages.Keep("a"))) await raw.SubscribeAsync("t", QoS.AtLeastOnce);
        await Within.Until(() => loopback.Broker.Statistics.Connections == 0, "gone");
        loopback.Broker.Publish(Messages.Message("t", "", QoS.AtLeastOnce));
        using var again = await loopback.OpenRawAsync();
        await again.SendAsync(Messages.Keep("a", properties: new() { MaximumPacketBytes = 10 }));
        Assert.Null(await again.ReceiveAsync());
        Assert.Equal(1, loopback.Broker.Clients[0].QueuedMessages + loopback.Broker.Clients[0].InFlight);
    }

    [Fact]
    public async Task Two_entries_for_one_filter_are_like_two_packets()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        loopback.Broker.Publish(Messages.Message("t", "kept", QoS.ExactlyOnce, retain: true));
        using var raw = await loopback.ConnectRawAsync("a");
        var once = new SubscriptionOptions(QoS.ExactlyOnce, RetainHandling: RetainHandling.SendIfNewSubscription);
        await raw.SendAsync(new SubscribePacket { PacketId = 1, Entries = [new("t", default), new("t", once)] });
        Assert.Equal([ReasonCode.Success, ReasonCode.GrantedQoS2], (await raw.ReceiveAsync<SubAckPacket>()).Reasons);
        Assert.Equal(QoS.AtMostOnce, (await raw.ReceiveAsync<PublishPacket>()).Message.QoS);
        await raw.SendAsync(PingPacket.Request);
        Assert.Equal(PacketType.PingResp, (await raw.ReceiveAsync<PingPacket>()).Type);
    }
}
