using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Turns one framed body into a packet, or says with a reason code why it is none. Never throws on bytes from a peer.</summary>
internal static class PacketDecoder
{
    /// <param name="first">The first byte of the fixed header.</param>
    /// <param name="version">What CONNECT agreed on; ignored for CONNECT itself, which says it.</param>
    /// <param name="packet">The packet when the result is <see cref="ReasonCode.Success"/>.</param>
    /// <param name="lastTopic">A valid topic name, which is used again when the packet is a PUBLISH to it.</param>
    public static ReasonCode Decode(byte first, ReadOnlySpan<byte> body, ProtocolVersion version, out Packet? packet, string lastTopic = "")
    {
        packet = null;
        var type = (PacketType)(first >> 4);
        if (type != PacketType.Publish && (first & 0x0F) != RequiredFlags(type)) return ReasonCode.MalformedPacket;

        var reader = new FieldReader(body);
        Packet? decoded = type switch
        {
            PacketType.Connect => ConnectDecoder.Decode(ref reader),
            PacketType.ConnAck => ReadConnAck(ref reader, version),
            PacketType.Publish => ReadPublish(first, ref reader, version, lastTopic),
            PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => ReadAck(type, ref reader, version),
            PacketType.Subscribe => ReadSubscribe(ref reader, version),
            PacketType.SubAck or PacketType.UnsubAck => ReadSubAck(type, ref reader, version),
            PacketType.Unsubscribe => ReadUnsubscribe(ref reader, version),
            PacketType.PingReq => PingPacket.Request,
            PacketType.PingResp => PingPacket.Response,
            PacketType.Disconnect => ReadReason(type, ref reader, version),
            PacketType.Auth when version == ProtocolVersion.V5 => ReadReason(type, ref reader, version),
            _ => null,
        };

        if (reader.Failed) return reader.Error;
        if (decoded is null || reader.Remaining > 0) return ReasonCode.MalformedPacket;
        packet = decoded;
        return ReasonCode.Success;
    }

    private static int RequiredFlags(PacketType type) =>
        type is PacketType.PubRel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;

    private static PacketProperties ReadProperties(PacketType type, ref FieldReader reader, ProtocolVersion version) =>
        version == ProtocolVersion.V5 ? PropertyReader.Read(ref reader, PropertyRules.For(type)) : PacketProperties.Empty;

    private static ConnAckPacket ReadConnAck(ref FieldReader reader, ProtocolVersion version)
    {
        var flags = reader.ReadByte();
        if (flags > 1) reader.Fail(ReasonCode.MalformedPacket);
        var code = reader.ReadByte();
        var reason = version == ProtocolVersion.V5 ? (ReasonCode)code : ReasonCodes.FromConnectReturnCode(code);
        if (reason is null || !ReasonRules.Allows(PacketType.ConnAck, reason.Value, version)) reader.Fail(ReasonCode.ProtocolError);
        return new ConnAckPacket
        {
            SessionPresent = flags == 1,
            Reason = reason ?? ReasonCode.MalformedPacket,
            Properties = ReadProperties(PacketType.ConnAck, ref reader, version),
        };
    }

    private static PublishPacket ReadPublish(byte first, ref FieldReader reader, ProtocolVersion version, string lastTopic)
    {
        var qos = (first >> 1) & 3;
        var duplicate = (first & 8) != 0;
        if (qos == 3 || (qos == 0 && duplicate)) reader.Fail(ReasonCode.MalformedPacket);

        var topic = reader.ReadString(lastTopic);
        var packetId = qos == 0 ? (ushort)0 : ReadPacketId(ref reader);
        var properties = ReadProperties(PacketType.Publish, ref reader, version);
        if (topic.Length == 0)
        {
            if (properties.TopicAlias is null) reader.Fail(ReasonCode.ProtocolError);
        }
        else if (!ReferenceEquals(topic, lastTopic) && !TopicName.IsValid(topic))
        {
            reader.Fail(ReasonCode.TopicNameInvalid);
        }

        if (properties.ResponseTopic is { } response && !TopicName.IsValid(response)) reader.Fail(ReasonCode.ProtocolError);
        return new PublishPacket
        {
            Duplicate = duplicate,
            PacketId = packetId,
            Properties = properties,
            Message = ToMessage(topic, reader.ReadRest(), (QoS)qos, (first & 1) != 0, properties),
        };
    }

    public static MqttMessage ToMessage(string topic, ReadOnlyMemory<byte> payload, QoS qos, bool retain, PacketProperties properties) => new()
    {
        Topic = topic,
        Payload = payload,
        QoS = qos,
        Retain = retain,
        PayloadFormat = properties.PayloadFormat,
        MessageExpirySeconds = properties.MessageExpirySeconds,
        ContentType = properties.ContentType,
        ResponseTopic = properties.ResponseTopic,
        CorrelationData = properties.CorrelationData,
        UserProperties = properties.UserProperties,
    };

    private static AckPacket ReadAck(PacketType type, ref FieldReader reader, ProtocolVersion version)
    {
        var packetId = ReadPacketId(ref reader);
        var (reason, properties) = ReadShortForm(type, ref reader, version);
        return new AckPacket(type) { PacketId = packetId, Reason = reason, Properties = properties };
    }

    /// <summary>Reason and properties may be left out when they say "success" and nothing (MQTT 5 section 3.4.2.1).</summary>
    private static (ReasonCode Reason, PacketProperties Properties) ReadShortForm(
        PacketType type, ref FieldReader reader, ProtocolVersion version)
    {
        if (version != ProtocolVersion.V5 || reader.Remaining == 0) return (ReasonCode.Success, PacketProperties.Empty);
        var reason = (ReasonCode)reader.ReadByte();
        if (!ReasonRules.Allows(type, reason, version)) reader.Fail(ReasonCode.ProtocolError);
        return (reason, reader.Remaining == 0 ? PacketProperties.Empty : ReadProperties(type, ref reader, version));
    }

    private static ReasonPacket ReadReason(PacketType type, ref FieldReader reader, ProtocolVersion version)
    {
        var (reason, properties) = ReadShortForm(type, ref reader, version);
        // MQTT 5 section 3.15.2.2.2; only the shortest form of "success" has no properties.
        if (type == PacketType.Auth && reason != ReasonCode.Success && properties.AuthenticationMethod is null) reader.Fail(ReasonCode.ProtocolError);
        return new ReasonPacket(type) { Reason = reason, Properties = properties };
    }

    private static SubscribePacket ReadSubscribe(ref FieldReader reader, ProtocolVersion version)
    {
        var packetId = ReadPacketId(ref reader);
        var properties = ReadProperties(PacketType.Subscribe, ref reader, version);
        if (properties.SubscriptionIds is { Length: > 1 }) reader.Fail(ReasonCode.ProtocolError);
        RequirePayload(ref reader);
        var entries = new List<SubscribeEntry>(1);
        do
        {
            var filter = ReadFilter(ref reader, version);
            entries.Add(new SubscribeEntry(filter, ReadOptions(filter, ref reader, version)));
        }
        while (reader.Remaining > 0);

        return new SubscribePacket { PacketId = packetId, Entries = entries, Properties = properties };
    }

    private static SubscriptionOptions ReadOptions(string filter, ref FieldReader reader, ProtocolVersion version)
    {
        var options = reader.ReadByte();
        var reserved = version == ProtocolVersion.V5 ? 0xC0 : 0xFC;
        if ((options & reserved) != 0) reader.Fail(ReasonCode.MalformedPacket);
        if ((options & 3) == 3) reader.Fail(ReasonCode.ProtocolError);
        var handling = (options >> 4) & 3;
        var noLocal = (options & 4) != 0;
        if (handling == 3) reader.Fail(ReasonCode.ProtocolError);
        // A protocol error by MQTT-3.8.3-4: a group has no "own" messages.
        if (noLocal && SharedFilter.HasPrefix(filter)) reader.Fail(ReasonCode.ProtocolError);
        return new SubscriptionOptions((QoS)(options & 3), noLocal, (options & 8) != 0, (RetainHandling)handling);
    }

    /// <summary>Ill-formed filters end the connection, as ill-formed topic names do; "$share" means nothing to MQTT 3.1.1.</summary>
    private static string ReadFilter(ref FieldReader reader, ProtocolVersion version)
    {
        var filter = reader.ReadString();
        var valid = version == ProtocolVersion.V5 ? SharedFilter.TryParse(filter, out _) : TopicName.IsValidFilter(filter);
        if (!valid) reader.Fail(ReasonCode.TopicFilterInvalid);
        return filter;
    }

    private static UnsubscribePacket ReadUnsubscribe(ref FieldReader reader, ProtocolVersion version)
    {
        var packetId = ReadPacketId(ref reader);
        var properties = ReadProperties(PacketType.Unsubscribe, ref reader, version);
        RequirePayload(ref reader);
        var filters = new List<string>(1);
        do filters.Add(ReadFilter(ref reader, version));
        while (reader.Remaining > 0);
        return new UnsubscribePacket { PacketId = packetId, Filters = filters, Properties = properties };
    }

    private static SubAckPacket ReadSubAck(PacketType type, ref FieldReader reader, ProtocolVersion version)
    {
        var packetId = ReadPacketId(ref reader);
        var properties = ReadProperties(type, ref reader, version);
        var reasons = new List<ReasonCode>(reader.Remaining);
        while (reader.Remaining > 0)
        {
            var reason = (ReasonCode)reader.ReadByte();
            if (!ReasonRules.Allows(type, reason, version)) reader.Fail(ReasonCode.ProtocolError);
            reasons.Add(reason);
        }

        if (reasons.Count == 0 && (type == PacketType.SubAck || version == ProtocolVersion.V5)) reader.Fail(ReasonCode.MalformedPacket);
        return new SubAckPacket(type) { PacketId = packetId, Reasons = reasons, Properties = properties };
    }

    /// <summary>Without a filter it is a protocol error, not a malformed packet [MQTT-3.8.3-2, MQTT-3.10.3-2].</summary>
    private static void RequirePayload(ref FieldReader reader)
    {
        if (!reader.Failed && reader.Remaining == 0) reader.Fail(ReasonCode.ProtocolError);
    }

    private static ushort ReadPacketId(ref FieldReader reader)
    {
        var id = reader.ReadUInt16();
        // [MQTT-2.2.1-3]
        if (id == 0) reader.Fail(ReasonCode.ProtocolError);
        return id;
    }
}
