using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Conformance;

/// <summary>What a PUBLISH may be and how it reaches its subscribers (MQTT 5 section 3.3).</summary>
public sealed class PublishTests
{
    [Theory]
    [InlineData("QoS 3", "36 06 0001 61 0001 00", ReasonCode.MalformedPacket)]
    [InlineData("QoS 0 that claims to be repeated", "38 04 0001 61 00", ReasonCode.MalformedPacket)]
    [InlineData("no topic", "30 00", ReasonCode.MalformedPacket)]
    [InlineData("empty topic", "30 03 0000 00", ReasonCode.ProtocolError)]
    [InlineData("+ in the topic", "30 06 0003 612F2B 00", ReasonCode.TopicNameInvalid)]
    [InlineData("# in the topic", "30 04 0001 23 00", ReasonCode.TopicNameInvalid)]
    [InlineData("+ in the response topic", "30 08 0001 61 04 080001 2B", ReasonCode.ProtocolError)]
    [InlineData("# in the response topic", "30 08 0001 61 04 080001 23", ReasonCode.ProtocolError)]
    [InlineData("a subscription identifier", "30 06 0001 61 02 0B01", ReasonCode.ProtocolError)]
    [InlineData("packet id 0", "32 06 0001 61 0000 00", ReasonCode.ProtocolError)]
    [InlineData("payload format twice", "30 08 0001 61 04 0101 0101", ReasonCode.ProtocolError)]
    [InlineData("payload format 2", "30 06 0001 61 02 0102", ReasonCode.ProtocolError)]
    [InlineData("a property of CONNECT", "30 09 0001 61 05 1100000001", ReasonCode.MalformedPacket)]
    [InlineData("an unknown property", "30 06 0001 61 02 7F00", ReasonCode.MalformedPacket)]
    public async Task A_PUBLISH_that_breaks_the_rules_ends_the_connection(string what, string hex, ReasonCode reason)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r");
        await raw.SendAsync(hex);
        await raw.EndsAsync(reason, what);
        Assert.Equal(0, loopback.Broker.Statistics.MessagesIn);
    }

    [Theory]
    [InlineData("QoS 3", "36 05 0001 61 0001")]
    [InlineData("QoS 0 that claims to be repeated", "38 03 0001 61")]
    [InlineData("empty topic", "30 02 0000")]
    [InlineData("wildcard in the topic", "30 03 0001 2B")]
    [InlineData("packet id 0", "32 05 0001 61 0000")]
    [InlineData("no packet id", "32 03 0001 61")]
    public async Task The_same_ends_a_3_1_1_connection(string what, string hex)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", ProtocolVersion.V311);
        await raw.SendAsync(hex);
        await raw.EndsAsync(default, what);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311)]
    [InlineData(ProtocolVersion.V5)]
    public async Task DUP_says_that_this_sender_repeats_itself_and_nothing_of_the_publisher(ProtocolVersion version)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await loopback.ConnectRawAsync("reader", version);
        await reader.SubscribeAsync("a", QoS.ExactlyOnce);
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(
            Messages.Publish(Messages.Message("a", "1", QoS.AtLeastOnce), 1, duplicate: true),
            Messages.Publish(Messages.Message("a", "2", QoS.ExactlyOnce), 2, duplicate: true));
        for (var i = 1; i <= 2; i++)
        {
            var publish = await reader.ReceiveAsync<PublishPacket>();
            Assert.Equal(($"{i}", false), (publish.Message.Text(), publish.Duplicate));
        }
    }

    [Fact]
    public async Task Everything_a_publisher_said_of_its_message_is_passed_on_in_its_order()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await loopback.ConnectRawAsync("reader");
        await reader.SubscribeAsync("+", QoS.AtMostOnce);
        using var raw = await loopback.ConnectRawAsync("r");
        // Format 1, content type, response topic, correlation data, and user properties whose names repeat.
        const string Said = "0101 030004 6A736F6E 080003 612F62 090002 0000 26 0001 62 0001 31 26 0001 61 0001 32 26 0001 62 0001 31";
        var block = Bytes.Of(Said);
        byte[] body = [0, 1, (byte)'a', (byte)block.Length, .. block, (byte)'x'];
        await raw.SendAsync([0x30, (byte)body.Length, .. body]);
        var publish = await reader.ReceiveAsync<PublishPacket>();
        Assert.Equal(
            [new("b", "1"), new("a", "2"), new("b", "1")], publish.Message.UserProperties);
        Assert.Equal(
            ("x", (byte?)1, "json", "a/b", "0000"),
            (publish.Message.Text(), publish.Message.PayloadFormat, publish.Message.ContentType, publish.Message.ResponseTopic,
                Convert.ToHexString(publish.Message.CorrelationData!.Value.Span)));
        Assert.Null(publish.Message.MessageExpirySeconds);
    }

    [Theory]
    [InlineData(10, 0, 10)]
    [InlineData(10, 4, 6)]
    [InlineData(10, 10, null)]
    [InlineData(0, 1, null)]
    public async Task A_message_that_waits_grows_older_and_is_deleted_when_it_is_too_old(uint expiry, int waited, int? left)
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        using (var reader = await loopback.ConnectRawAsync(Messages.Keep("reader"))) await reader.SubscribeAsync("a", QoS.ExactlyOnce);
        await loopback.AwayAsync("reader");
        foreach (var qos in new[] { QoS.AtLeastOnce, QoS.ExactlyOnce })
        {
            loopback.Broker.Publish(Messages.Message("a", "x", qos) with { MessageExpirySeconds = expiry });
            loopback.Broker.Publish(Messages.Message($"retained/{qos}", "x", qos, retain: true) with { MessageExpirySeconds = expiry });
        }

        time.AdvanceSeconds(waited);
        using var back = await loopback.ConnectRawAsync(Messages.Keep("reader"));
        for (var i = 0; i < 4; i++)
        {
            if (i == 2) await back.SubscribeAsync("retained/#", QoS.AtMostOnce);
            if (left is not null) Assert.Equal((uint)left, (await back.ReceiveAsync<PublishPacket>()).Message.MessageExpirySeconds);
        }

        await back.NothingCameAsync();
    }

    [Fact]
    public async Task A_message_whose_life_is_zero_still_reaches_those_who_are_there()
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var reader = await loopback.ConnectRawAsync("reader");
        await reader.SubscribeAsync("a", QoS.AtLeastOnce);
        foreach (var qos in new[] { QoS.AtMostOnce, QoS.AtLeastOnce })
        {
            loopback.Broker.Publish(Messages.Message("a", "x", qos) with { MessageExpirySeconds = 0 });
            Assert.Equal(0u, (await reader.ReceiveAsync<PublishPacket>()).Message.MessageExpirySeconds);
        }
    }

    [Fact]
    public async Task A_message_that_was_sent_once_is_repeated_however_old_it_is_and_its_exchange_is_finished()
    {
        var time = new ManualTime();
        await using var loopback = await LoopbackBroker.StartAsync(options => options.TimeProvider = time);
        using var reader = await loopback.ConnectRawAsync(Messages.Keep("reader"));
        await reader.SubscribeAsync("a", QoS.ExactlyOnce);
        loopback.Broker.Publish(Messages.Message("a", "x", QoS.ExactlyOnce) with { MessageExpirySeconds = 5 });
        var id = (await reader.ReceiveAsync<PublishPacket>()).PacketId;
        reader.Dispose();
        await loopback.AwayAsync("reader");
        time.AdvanceSeconds(60);
        using var back = await loopback.ConnectRawAsync(Messages.Keep("reader"));
        var again = await back.ReceiveAsync<PublishPacket>();
        Assert.Equal((id, true, 0u), (again.PacketId, again.Duplicate, again.Message.MessageExpirySeconds));
        await back.SendAsync(Messages.Ack(PacketType.PubRec, id));
        Assert.Equal(id, (await back.ReceiveAckAsync(PacketType.PubRel)).PacketId);
    }

    [Theory]
    [InlineData(ProtocolVersion.V311, QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(ProtocolVersion.V5, QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(ProtocolVersion.V311, QoS.ExactlyOnce, PacketType.PubRec)]
    [InlineData(ProtocolVersion.V5, QoS.ExactlyOnce, PacketType.PubRec)]
    public async Task The_answer_fits_the_QoS_and_a_3_1_1_client_is_not_told_of_a_refusal(ProtocolVersion version, QoS qos, object answer)
    {
        await using var loopback = await LoopbackBroker.StartAsync();
        using var raw = await loopback.ConnectRawAsync("r", version);
        await raw.SendAsync(Messages.Publish(Messages.Message("a"), 0), Messages.Publish(Messages.Message("$SYS/x", "x", qos), 7));
        var ack = await raw.ReceiveAckAsync((PacketType)answer);
        Assert.Equal(((ushort)7, version == ProtocolVersion.V5 ? ReasonCode.NotAuthorized : ReasonCode.Success), (ack.PacketId, ack.Reason));
    }
}
