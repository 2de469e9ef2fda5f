using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>The three delivery protocols, repetition and order (MQTT 5 sections 3.4 to 3.7 and 4.3 to 4.6).</summary>
public sealed class QoSTests
{
    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_QoS_1_id_is_free_once_it_was_acknowledged_whatever_DUP_says(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await SubscribedAsync(loopback, version);
        using var raw = await loopback.ConnectRawAsync("r", version);
        for (var i = 0; i < 3; i++)
        {
            await raw.SendAsync(Messages.Publish(Messages.Message("a", $"{i}", QoS.AtLeastOnce), 7, duplicate: i == 2));
            Assert.Equal((ushort)7, (await raw.ReceiveAckAsync(PacketType.PubAck)).PacketId);
            Assert.Equal($"{i}", (await reader.ReceiveAsync<PublishPacket>()).Message.Text());
        }
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task A_QoS_2_message_is_passed_on_once_however_often_it_is_sent_until_it_was_released(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await SubscribedAsync(loopback, version);
        var connect = version == ProtocolVersion.V5 ? Messages.Keep("r") : Messages.Connect("r", version, cleanStart: false);
        var raw = await loopback.ConnectRawAsync(connect);
        for (var i = 0; i < 4; i++)
        {
            // The third on a new connection, the fourth after PUBREL.
            if (i == 2)
            {
                raw.Dispose();
                raw = await loopback.ConnectRawAsync(connect);
            }

            if (i == 3)
            {
                await raw.SendAsync(Messages.Ack(PacketType.PubRel, 7));
                Assert.Equal(((ushort)7, ReasonCode.Success), Answer(await raw.ReceiveAckAsync(PacketType.PubComp)));
            }

            await raw.SendAsync(Messages.Publish(Messages.Message("a", $"{i}", QoS.ExactlyOnce), 7, duplicate: i > 0));
            Assert.Equal(((ushort)7, ReasonCode.Success), Answer(await raw.ReceiveAckAsync(PacketType.PubRec)));
        }

        Assert.Equal("0", (await reader.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal("3", (await reader.ReceiveAsync<PublishPacket>()).Message.Text());
        await reader.NothingCameAsync();
        raw.Dispose();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, ReasonCode.Success)]
    [InlineData(ProtocolVersion.V5, ReasonCode.PacketIdentifierNotFound)]
    public async Task A_PUBREL_or_PUBREC_for_an_id_nobody_knows_is_answered_too(ProtocolVersion version, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(
            Messages.Ack(PacketType.PubRel, 3),
            Messages.Ack(PacketType.PubRec, 4),
            Messages.Ack(PacketType.PubAck, 5),
            Messages.Ack(PacketType.PubComp, 6));
        Assert.Equal(((ushort)3, reason), Answer(await raw.ReceiveAckAsync(PacketType.PubComp)));
        Assert.Equal(((ushort)4, reason), Answer(await raw.ReceiveAckAsync(PacketType.PubRel)));
        await raw.NothingCameAsync();
    }

    [Fact]
    public async Task A_refused_QoS_2_message_leaves_its_id_free()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(Messages.Publish(Messages.Message("$SYS/x", "x", QoS.ExactlyOnce), 7));
        Assert.Equal(((ushort)7, ReasonCode.NotAuthorized), Answer(await raw.ReceiveAckAsync(PacketType.PubRec)));
        await raw.SubscribeAsync("a", QoS.AtMostOnce);
        await raw.SendAsync(Messages.Publish(Messages.Message("a", "new", QoS.ExactlyOnce), 7));
        Assert.Equal("new", (await raw.ReceiveAsync<PublishPacket>()).Message.Text());
        Assert.Equal(((ushort)7, ReasonCode.Success), Answer(await raw.ReceiveAckAsync(PacketType.PubRec)));
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task What_is_unacknowledged_is_repeated_on_the_next_connection_and_at_no_other_time(ProtocolVersion version)
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        var connect = version == ProtocolVersion.V5 ? Messages.Keep("r") : Messages.Connect("r", version, cleanStart: false);
        var raw = await loopback.ConnectRawAsync(connect);
        await raw.SubscribeAsync("a", QoS.ExactlyOnce);
        QoS[] kinds = [QoS.AtLeastOnce, QoS.ExactlyOnce, QoS.ExactlyOnce, QoS.AtLeastOnce, QoS.ExactlyOnce];
        for (var i = 0; i < 5; i++) loopback.Broker.Publish(Messages.Message("a", $"{i + 1}", kinds[i]));

        var ids = new List<ushort>();
        for (var i = 0; i < 5; i++) ids.Add((await raw.ReceiveAsync<PublishPacket>()).PacketId);
        Assert.Equal(5, ids.Distinct().Count());
        // The later QoS 2 message is released first; the earlier one not at all.
        await raw.SendAsync(Messages.Ack(PacketType.PubRec, ids[4]), Messages.Ack(PacketType.PubRec, ids[1]));
        Assert.Equal(ids[4], (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        Assert.Equal(ids[1], (await raw.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        time.AdvanceSeconds(600);
        await raw.NothingCameAsync();
        raw.Dispose();
        await loopback.AwayAsync("r");
        loopback.Broker.Publish(Messages.Message("a", "6", QoS.AtLeastOnce));

        using var again = await loopback.ConnectRawAsync(connect);
        Assert.Equal(ids[4], (await again.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        Assert.Equal(ids[1], (await again.ReceiveAckAsync(PacketType.PubRel)).PacketId);
        foreach (var (text, id) in new[] { ("1", ids[0]), ("3", ids[2]), ("4", ids[3]) })
        {
            var repeated = await again.ReceiveAsync<PublishPacket>();
            Assert.Equal((text, id, true), (repeated.Message.Text(), repeated.PacketId, repeated.Duplicate));
        }

        var fresh = await again.ReceiveAsync<PublishPacket>();
        Assert.Equal(("6", false), (fresh.Message.Text(), fresh.Duplicate));
        Assert.DoesNotContain(fresh.PacketId, ids);
        await again.NothingCameAsync();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(QoS.ExactlyOnce, PacketType.PubRec)]
    public async Task A_message_the_client_refused_is_not_repeated(QoS qos, object ack)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync(Messages.Keep("r"));
        await raw.SubscribeAsync("a", qos);
        loopback.Broker.Publish(Messages.Message("a", "x", qos));
        var id = (await raw.ReceiveAsync<PublishPacket>()).PacketId;
        await raw.SendAsync(Messages.Ack((PacketType)ack, id, ReasonCode.ImplementationSpecificError));
        await raw.NothingCameAsync();
        using var again = await loopback.ConnectRawAsync(Messages.Keep("r"));
        await again.NothingCameAsync();
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task Messages_and_their_answers_keep_the_order_in_which_they_came(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await SubscribedAsync(loopback, version);
        using var raw = await loopback.ConnectRawAsync("r", version);
        var messages = Enumerable.Range(1, 300).Select(i => Messages.Publish(Messages.Message("a", $"{i}", (QoS)(1 + (i % 2))), (ushort)i)).ToArray();
        await raw.SendAsync(messages.Cast<Packet>().ToArray());
        for (var i = 1; i <= 300; i++)
        {
            Assert.Equal(i, (await raw.ReceiveAckAsync(i % 2 == 0 ? PacketType.PubAck : PacketType.PubRec)).PacketId);
            Assert.Equal($"{i}", (await reader.ReceiveAsync<PublishPacket>()).Message.Text());
        }
    }

    private static (ushort, ReasonCode) Answer(AckPacket ack) => (ack.PacketId, ack.Reason);

    private static async Task<RawClient> SubscribedAsync(LoopbackBroker loopback, ProtocolVersion version)
    {
        var reader = await loopback.ConnectRawAsync("reader", version);
        await reader.SubscribeAsync("a", QoS.ExactlyOnce);
        return reader;
    }
}
