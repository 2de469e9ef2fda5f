namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Appends packets to an <see cref="OutputBuffer"/> in the form of either version.</summary>
internal static class PacketEncoder
{
    public static void Write(OutputBuffer output, Packet packet, ProtocolVersion version)
    {
        switch (packet)
        {
            case ConnectPacket connect: WriteConnect(output, connect); break;
            case ConnAckPacket ack: WriteConnAck(output, ack, version); break;
            case PublishPacket publish: WritePublish(output, ToOutgoing(publish), version); break;
            case AckPacket ack: WriteAck(output, ack.Type, ack.PacketId, ack.Reason, version, ack.Properties); break;
            case SubscribePacket subscribe: WriteSubscribe(output, subscribe, version); break;
            case SubAckPacket ack: WriteSubAck(output, ack, version); break;
            case UnsubscribePacket unsubscribe: WriteUnsubscribe(output, unsubscribe, version); break;
            case PingPacket: WriteHeader(output, packet.Type, 0); break;
            case ReasonPacket reason: WriteReason(output, reason, version); break;
            default: throw new ArgumentException("Not a packet of MQTT.", nameof(packet));
        }
    }

    public static void WritePublish(OutputBuffer output, in OutgoingPublish publish, ProtocolVersion version)
    {
        var flags = ((int)publish.QoS << 1) | (publish.Retain ? 1 : 0) | (publish.Duplicate ? 8 : 0);
        output.WriteByte((byte)(((int)PacketType.Publish << 4) | flags));
        var message = publish.Message;
        var mark = output.BeginLength(message.Topic.Length + message.Payload.Length + 8);
        output.WriteString(publish.OmitTopic ? string.Empty : message.Topic);
        if (publish.QoS != QoS.AtMostOnce) output.WriteUInt16(publish.PacketId);
        if (version == ProtocolVersion.V5) PropertyWriter.Write(output, publish);
        output.WriteBytes(message.Payload.Span);
        output.EndLength(mark);
    }

    public static void WriteAck(
        OutputBuffer output,
        PacketType type,
        ushort packetId,
        ReasonCode reason,
        ProtocolVersion version,
        PacketProperties? properties = null)
    {
        var full = properties is not null && !ReferenceEquals(properties, PacketProperties.Empty);
        output.WriteByte((byte)(((int)type << 4) | (type == PacketType.PubRel ? 2 : 0)));
        if (version != ProtocolVersion.V5 || (reason == ReasonCode.Success && !full))
        {
            output.WriteByte(2);
            output.WriteUInt16(packetId);
            return;
        }

        var mark = output.BeginLength();
        output.WriteUInt16(packetId);
        output.WriteByte((byte)reason);
        if (full) PropertyWriter.Write(output, properties!);
        output.EndLength(mark);
    }

    private static OutgoingPublish ToOutgoing(PublishPacket publish) => new()
    {
        Message = publish.Message,
        QoS = publish.Message.QoS,
        Retain = publish.Message.Retain,
        Duplicate = publish.Duplicate,
        PacketId = publish.PacketId,
        ExpirySeconds = publish.Message.MessageExpirySeconds,
        SubscriptionIds = publish.Properties.SubscriptionIds,
        TopicAlias = publish.TopicAlias ?? 0,
    };

    private static void WriteHeader(OutputBuffer output, PacketType type, byte length)
    {
        output.WriteByte((byte)((int)type << 4));
        output.WriteByte(length);
    }

    private static void WriteConnect(OutputBuffer output, ConnectPacket packet)
    {
        output.WriteByte((int)PacketType.Connect << 4);
        var mark = output.BeginLength();
        output.WriteString("MQTT");
        output.WriteByte((byte)((int)packet.Version | (packet.IsBridge ? ConnectPacket.BridgeBit : 0)));
        output.WriteByte(ConnectFlags.Of(packet).Value);
        output.WriteUInt16(packet.KeepAliveSeconds);
        if (packet.Version == ProtocolVersion.V5) PropertyWriter.Write(output, packet.Properties);
        output.WriteString(packet.ClientId);
        if (packet.Will is { } will)
        {
            if (packet.Version == ProtocolVersion.V5) PropertyWriter.Write(output, will);
            output.WriteString(will.Message.Topic);
            output.WriteBinary(will.Message.Payload.Span);
        }

        if (packet.UserName is { } user) output.WriteString(user);
        if (packet.Password is { } password) output.WriteBinary(password.Span);
        output.EndLength(mark);
    }

    private static void WriteConnAck(OutputBuffer output, ConnAckPacket packet, ProtocolVersion version)
    {
        output.WriteByte((int)PacketType.ConnAck << 4);
        var mark = output.BeginLength();
        output.WriteByte((byte)(packet.SessionPresent ? 1 : 0));
        output.WriteByte(version == ProtocolVersion.V5 ? (byte)packet.Reason : ReasonCodes.ToConnectReturnCode(packet.Reason) ?? 3);
        if (version == ProtocolVersion.V5) PropertyWriter.Write(output, packet.Properties);
        output.EndLength(mark);
    }

    private static void WriteSubscribe(OutputBuffer output, SubscribePacket packet, ProtocolVersion version)
    {
        output.WriteByte(((int)PacketType.Subscribe << 4) | 2);
        var mark = output.BeginLength();
        output.WriteUInt16(packet.PacketId);
        if (version == ProtocolVersion.V5) PropertyWriter.Write(output, packet.Properties);
        foreach (var (filter, options) in packet.Entries)
        {
            output.WriteString(filter);
            var bits = (int)options.MaximumQoS;
            if (version == ProtocolVersion.V5)
            {
                bits |= (options.NoLocal ? 4 : 0) | (options.RetainAsPublished ? 8 : 0) | ((int)options.RetainHandling << 4);
            }

            output.WriteByte((byte)bits);
        }

        output.EndLength(mark);
    }

    private static void WriteSubAck(OutputBuffer output, SubAckPacket packet, ProtocolVersion version)
    {
        output.WriteByte((byte)((int)packet.Type << 4));
        var mark = output.BeginLength();
        output.WriteUInt16(packet.PacketId);
        if (version == ProtocolVersion.V5) PropertyWriter.Write(output, packet.Properties);
        if (packet.Type == PacketType.SubAck || version == ProtocolVersion.V5)
        {
            foreach (var reason in packet.Reasons)
            {
                // MQTT 3.1.1 knows one failure (section 3.9.3).
                output.WriteByte(version != ProtocolVersion.V5 && reason.IsFailure() ? (byte)0x80 : (byte)reason);
            }
        }

        output.EndLength(mark);
    }

    private static void WriteUnsubscribe(OutputBuffer output, UnsubscribePacket packet, ProtocolVersion version)
    {
        output.WriteByte(((int)PacketType.Unsubscribe << 4) | 2);
        var mark = output.BeginLength();
        output.WriteUInt16(packet.PacketId);
        if (version == ProtocolVersion.V5) PropertyWriter.Write(output, packet.Properties);
        foreach (var filter in packet.Filters) output.WriteString(filter);
        output.EndLength(mark);
    }

    private static void WriteReason(OutputBuffer output, ReasonPacket packet, ProtocolVersion version)
    {
        var empty = ReferenceEquals(packet.Properties, PacketProperties.Empty);
        if (version != ProtocolVersion.V5 || (packet.Reason == ReasonCode.Success && empty))
        {
            WriteHeader(output, packet.Type, 0);
            return;
        }

        output.WriteByte((byte)((int)packet.Type << 4));
        var mark = output.BeginLength();
        output.WriteByte((byte)packet.Reason);
        if (!empty) PropertyWriter.Write(output, packet.Properties);
        output.EndLength(mark);
    }
}
