using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Packets;

public sealed class RoundTripTests
{
    private static readonly PacketProperties Reason = new() { ReasonString = "because", UserProperties = [new("a", "1"), new("a", "2")] };

    public static TheoryData<string> Names => [.. Samples().Select(sample => sample.Name).Distinct()];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_packet_is_read_back_as_it_was_written(string name)
    {
        foreach (var (_, packet, version) in Samples().Where(sample => sample.Name == name))
        {
            var bytes = Bytes.Of(packet, version);
            var (reason, read) = Bytes.Decode(bytes, version);
            Assert.Equal(ReasonCode.Success, reason);
            Assert.Equal(packet.GetType(), read!.GetType());
            Assert.Equal(bytes, Bytes.Of(read, version));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_prefix_of_a_packet_is_incomplete(string name)
    {
        foreach (var (_, packet, version) in Samples().Where(sample => sample.Name == name))
        {
            var bytes = Bytes.Of(packet, version);
            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.Equal(FrameStatus.Incomplete, Frame.TryRead(bytes.AsSpan(0, length), 1 << 20, out _));
            }
        }
    }

    [Fact]
    public void All_properties_of_a_publish_survive_in_order()
    {
        var message = FullMessage();
        var read = Bytes.Decode<PublishPacket>(Bytes.Of(Messages.Publish(message, 7), ProtocolVersion.V5), ProtocolVersion.V5).Message;
        Assert.Equal(message.Topic, read.Topic);
        Assert.Equal(message.Payload.ToArray(), read.Payload.ToArray());
        Assert.Equal((message.QoS, message.Retain, message.PayloadFormat), (read.QoS, read.Retain, read.PayloadFormat));
        Assert.Equal((message.MessageExpirySeconds, message.ContentType), (read.MessageExpirySeconds, read.ContentType));
        Assert.Equal(message.ResponseTopic, read.ResponseTopic);
        Assert.Equal(message.CorrelationData!.Value.ToArray(), read.CorrelationData!.Value.ToArray());
        Assert.Equal(message.UserProperties, read.UserProperties);
    }

    [Fact]
    public void A_connect_keeps_its_will_its_names_and_its_flags()
    {
        var connect = FullConnect(ProtocolVersion.V5);
        var read = Bytes.Decode<ConnectPacket>(Bytes.Of(connect, ProtocolVersion.V5), ProtocolVersion.V5);
        Assert.Equal((connect.ClientId, connect.UserName, connect.CleanStart), (read.ClientId, read.UserName, read.CleanStart));
        Assert.Equal(connect.Password!.Value.ToArray(), read.Password!.Value.ToArray());
        Assert.Equal((ushort)30, read.KeepAliveSeconds);
        Assert.Equal(5u, read.Will!.DelaySeconds);
        Assert.Equal((QoS.ExactlyOnce, true, "last"), (read.Will.Message.QoS, read.Will.Message.Retain, read.Will.Message.Text()));
        Assert.Equal(3600u, read.Properties.SessionExpirySeconds);
        Assert.Equal((ushort)20, read.Properties.ReceiveMaximum);
    }

    [Theory]
    [InlineData(0u, 1)]
    [InlineData(127u, 1)]
    [InlineData(128u, 2)]
    [InlineData(16_383u, 2)]
    [InlineData(16_384u, 3)]
    [InlineData(2_097_151u, 3)]
    [InlineData(2_097_152u, 4)]
    [InlineData(VariableInteger.Max, 4)]
    public void Variable_integers_use_the_fewest_bytes(uint value, int width)
    {
        var bytes = new byte[VariableInteger.Width(value)];
        VariableInteger.Write(bytes, value);
        Assert.Equal(width, bytes.Length);
        Assert.Equal(FrameStatus.Complete, VariableInteger.TryRead(bytes, out var read, out var readWidth));
        Assert.Equal((value, width), (read, readWidth));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_300)]
    [InlineData(16_384)]
    [InlineData(70_000)]
    public void A_length_guessed_wrong_is_corrected(int payloadBytes)
    {
        var message = new MqttMessage { Topic = new string('ä', 60), Payload = new byte[payloadBytes], ContentType = new string('c', 200) };
        var output = new OutputBuffer();
        PacketEncoder.Write(output, PingPacket.Request, ProtocolVersion.V5);
        PacketEncoder.Write(output, Messages.Publish(message), ProtocolVersion.V5);
        var read = Bytes.Decode<PublishPacket>(output.Written[2..], ProtocolVersion.V5);
        Assert.Equal((message.Topic, payloadBytes), (read.Message.Topic, read.Message.Payload.Length));
    }

    private static MqttMessage FullMessage() => new()
    {
        Topic = "plant/ä/1",
        Payload = new byte[] { 1, 2, 3 },
        QoS = QoS.ExactlyOnce,
        Retain = true,
        PayloadFormat = 1,
        MessageExpirySeconds = 60,
        ContentType = "text/plain",
        ResponseTopic = "answers",
        CorrelationData = new byte[] { 9, 8 },
        UserProperties = [new("k", "1"), new("", ""), new("k", "0")],
    };

    private static ConnectPacket FullConnect(ProtocolVersion version) => new()
    {
        Version = version,
        ClientId = "sensor",
        CleanStart = true,
        KeepAliveSeconds = 30,
        UserName = "user",
        Password = new byte[] { 0, 255 },
        Will = new LastWill(Messages.Message("wills", "last", QoS.ExactlyOnce, retain: true), version == ProtocolVersion.V5 ? 5u : 0),
        Properties = version == ProtocolVersion.V311 ? PacketProperties.Empty : new PacketProperties
        {
            SessionExpirySeconds = 3600,
            ReceiveMaximum = 20,
            MaximumPacketBytes = 1000,
            TopicAliasMaximum = 10,
            RequestProblemInformation = true,
            RequestResponseInformation = false,
            AuthenticationMethod = "m",
            AuthenticationData = new byte[] { 1 },
            UserProperties = [new("u", "v")],
        },
    };

    private static IEnumerable<(string Name, Packet Packet, ProtocolVersion Version)> Samples()
    {
        foreach (var version in new[] { ProtocolVersion.V311, ProtocolVersion.V5 })
        {
            yield return ("connect", FullConnect(version), version);
            yield return ("connect", new ConnectPacket { Version = version, ClientId = string.Empty, CleanStart = true }, version);
            yield return ("connack", new ConnAckPacket { SessionPresent = true }, version);
            yield return ("connack", new ConnAckPacket { Reason = ReasonCode.NotAuthorized }, version);
            yield return ("publish", Messages.Publish(Messages.Message("a", "")), version);
            yield return ("publish", Messages.Publish(Messages.Message("a/b", "p", QoS.AtLeastOnce, true), 65535, duplicate: true), version);
            foreach (var type in new[] { PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp })
            {
                yield return ("ack", Messages.Ack(type, 3), version);
            }

            yield return ("subscribe", new SubscribePacket { PacketId = 1, Entries = [new("a/#", new(QoS.ExactlyOnce)), new("+", default)] }, version);
            yield return ("suback", new SubAckPacket(PacketType.SubAck) { PacketId = 1, Reasons = [ReasonCode.GrantedQoS2, ReasonCode.UnspecifiedError] }, version);
            yield return ("unsubscribe", new UnsubscribePacket { PacketId = 1, Filters = ["a", "b"] }, version);
            yield return ("ping", PingPacket.Request, version);
            yield return ("ping", PingPacket.Response, version);
            yield return ("disconnect", new ReasonPacket(PacketType.Disconnect), version);
        }

        yield return ("unsuback", new SubAckPacket(PacketType.UnsubAck) { PacketId = 1, Reasons = [] }, ProtocolVersion.V311);
        yield return ("unsuback", new SubAckPacket(PacketType.UnsubAck) { PacketId = 1, Reasons = [ReasonCode.NoSubscriptionExisted], Properties = Reason }, ProtocolVersion.V5);
        yield return ("connack", new ConnAckPacket { Properties = FullConnAck() }, ProtocolVersion.V5);
        yield return ("publish", Messages.Publish(FullMessage(), 7), ProtocolVersion.V5);
        yield return ("publish", new PublishPacket
        {
            Message = FullMessage() with { Topic = string.Empty },
            PacketId = 1,
            Properties = new PacketProperties { TopicAlias = 4, SubscriptionIds = [1, 300, VariableInteger.Max] },
        }, ProtocolVersion.V5);
        yield return ("ack", new AckPacket(PacketType.PubAck) { PacketId = 3, Reason = ReasonCode.QuotaExceeded, Properties = Reason }, ProtocolVersion.V5);
        yield return ("subscribe", new SubscribePacket
        {
            PacketId = 1,
            Entries = [new("$share/g/a", new(QoS.AtLeastOnce, false, true, RetainHandling.DoNotSend)), new("x", new(QoS.AtLeastOnce, true))],
            Properties = new PacketProperties { SubscriptionIds = [77], UserProperties = [new("a", "b")] },
        }, ProtocolVersion.V5);
        yield return ("disconnect", new ReasonPacket(PacketType.Disconnect)
        {
            Reason = ReasonCode.DisconnectWithWill,
            Properties = new PacketProperties { SessionExpirySeconds = 1, ServerReference = "other", ReasonString = "r" },
        }, ProtocolVersion.V5);
        yield return ("auth", new ReasonPacket(PacketType.Auth)
        {
            Reason = ReasonCode.ContinueAuthentication,
            Properties = new PacketProperties { AuthenticationMethod = "m", AuthenticationData = new byte[] { 1 } },
        }, ProtocolVersion.V5);
    }

    private static PacketProperties FullConnAck() => new()
    {
        SessionExpirySeconds = 1,
        AssignedClientId = "auto",
        ServerKeepAliveSeconds = 10,
        AuthenticationMethod = "m",
        AuthenticationData = new byte[] { 2 },
        ResponseInformation = "i",
        ServerReference = "s",
        ReasonString = "r",
        ReceiveMaximum = 1,
        TopicAliasMaximum = 2,
        MaximumQoS = 1,
        RetainAvailable = true,
        MaximumPacketBytes = 3,
        WildcardAvailable = true,
        SubscriptionIdentifierAvailable = false,
        SharedAvailable = true,
        UserProperties = [new("z", "1"), new("a", "2")],
    };
}
