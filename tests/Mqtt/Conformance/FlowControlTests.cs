using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>Receive maximum, both ways (MQTT 5 sections 3.3.4 and 4.9).</summary>
public sealed class FlowControlTests
{
    [Theory]
    [InlineData((ushort)1)]
    [InlineData((ushort)3)]
    public async Task The_broker_never_has_more_under_way_than_the_client_asked_for(ushort maximum)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { ReceiveMaximum = maximum }));
        await raw.SubscribeAsync("a", QoS.ExactlyOnce);
        for (var i = 0; i < 9; i++) loopback.Broker.Publish(Messages.Message("a", $"{i}", (QoS)(1 + (i % 2))));
        var underWay = new Queue<PublishPacket>();
        for (var i = 0; i < 9; i++)
        {
            if (underWay.Count == maximum)
            {
                // QoS 0 and everything that is no PUBLISH goes on.
                loopback.Broker.Publish(Messages.Message("a", "zero"));
                Assert.Equal("zero", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
                await raw.NothingCameAsync();
                await raw.SubscribeAsync("b", QoS.AtMostOnce);
                await FinishAsync(raw, underWay.Dequeue());
            }

            underWay.Enqueue(await raw.ReceiveAsync<PublishPacket>());
            Assert.Equal($"{i}", underWay.Last().Message.Text());
        }
    }

    [Fact]
    public async Task A_refusal_gives_the_place_back_and_PUBREC_alone_does_not()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Connect("r", properties: new() { ReceiveMaximum = 1 }));
        await raw.SubscribeAsync("a", QoS.ExactlyOnce);
        for (var i = 0; i < 3; i++) loopback.Broker.Publish(Messages.Message("a", $"{i}", QoS.ExactlyOnce));
        var first = await raw.ReceiveAsync<PublishPacket>();
        await raw.SendAsync(Messages.Ack(PacketType.PubRec, first.PacketId, ReasonCode.QuotaExceeded));
        var second = await raw.ReceiveAsync<PublishPacket>();
        Assert.Equal("1", second.Message.Text());
        await raw.SendAsync(Messages.Ack(PacketType.PubRec, second.PacketId));
        await raw.ReceiveAckAsync(PacketType.PubRel);
        await raw.NothingCameAsync();
        await raw.SendAsync(Messages.Ack(PacketType.PubComp, second.PacketId));
        Assert.Equal("2", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
    }

    [Fact]
    public async Task After_a_reconnect_no_PUBREL_waits_for_the_window_and_every_PUBLISH_does()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        var raw = await loopback.ConnectRawAsync(Messages.Keep("r"));
        await raw.SubscribeAsync("a", QoS.ExactlyOnce);
        for (var i = 0; i < 4; i++) loopback.Broker.Publish(Messages.Message("a", $"{i}", QoS.ExactlyOnce));
        for (var i = 0; i < 4; i++)
        {
            var id = (await raw.ReceiveAsync<PublishPacket>()).PacketId;
            if (i > 0) await raw.SendAsync(Messages.Ack(PacketType.PubRec, id));
        }

        for (var i = 0; i < 3; i++) await raw.ReceiveAckAsync(PacketType.PubRel);
        raw.Dispose();
        await loopback.AwayAsync("r");
        using var narrow = await loopback.ConnectRawAsync(Messages.Keep("r", properties: new() { ReceiveMaximum = 1 }));
        var releases = new List<ushort>();
        for (var i = 0; i < 3; i++) releases.Add((await narrow.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        await narrow.NothingCameAsync();
        foreach (var id in releases) await narrow.SendAsync(Messages.Ack(PacketType.PubComp, id));
        Assert.Equal("0", (await narrow.ReceiveAsync<PublishPacket>()).Message.Text());
    }

    [Fact]
    public async Task A_client_may_have_as_many_under_way_as_it_was_told_and_not_one_more()
    {
        await using var loopback = await LoopbackBroker.StartAsync(options => options.Limits.ReceiveMax = 2);
        using var raw = await loopback.ConnectRawAsync("r");
        Assert.Equal((ushort)2, raw.Accepted.Properties.ReceiveMaximum!.Value);
        // What was refused, was finished, or has QoS 0 does not count.
        for (ushort id = 1; id <= 5; id++)
        {
            await raw.SendAsync(
                Messages.Publish(Messages.Message("$SYS/a", "x", QoS.ExactlyOnce), 100),
                Messages.Publish(Messages.Message("a", "x", QoS.ExactlyOnce), id),
                Messages.Publish(Messages.Message("a")),
                Messages.Ack(PacketType.PubRel, (ushort)(id - 1 == 0 ? 99 : id - 1)));
            Assert.Equal(ReasonCode.NotAuthorized, (await raw.ReceiveAckAsync(PacketType.PubRec)).Reason);
            Assert.False((await raw.ReceiveAckAsync(PacketType.PubRec)).Reason.IsFailure());
            await raw.ReceiveAckAsync(PacketType.PubComp);
        }

        await raw.SendAsync(Messages.Publish(Messages.Message("a", "x", QoS.AtLeastOnce), 6));
        await raw.ReceiveAckAsync(PacketType.PubAck);
        await raw.SendAsync(Messages.Publish(Messages.Message("a", "x", QoS.ExactlyOnce), 7),
            Messages.Publish(Messages.Message("a", "x", QoS.ExactlyOnce), 8));
        await raw.ReceiveAckAsync(PacketType.PubRec);
        await raw.EndsAsync(ReasonCode.ReceiveMaximumExceeded);
    }

    private static async Task FinishAsync(RawClient raw, PublishPacket publish)
    {
        if (publish.Message.QoS == QoS.AtLeastOnce)
        {
            await raw.SendAsync(Messages.Ack(PacketType.PubAck, publish.PacketId));
            return;
        }

        await raw.SendAsync(Messages.Ack(PacketType.PubRec, publish.PacketId));
        await raw.ReceiveAckAsync(PacketType.PubRel);
        await raw.SendAsync(Messages.Ack(PacketType.PubComp, publish.PacketId));
    }
}
