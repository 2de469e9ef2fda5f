using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>Decodes CONNECT, the one packet that states its own version (MQTT 5 section 3.1, MQTT 3.1.1 section 3.1).</summary>
internal static class ConnectDecoder
{
    public static ConnectPacket? Decode(ref FieldReader reader)
    {
        var protocol = reader.ReadString();
        var level = reader.ReadByte();
        if (reader.Failed) return null;
        // The bit by which mosquitto's bridges tell that they are one.
        var isBridge = (level & ConnectPacket.BridgeBit) != 0;
        level &= ConnectPacket.BridgeBit - 1;
        if (VersionOf(protocol, level) is not { } version)
        {
            reader.Fail(ReasonCode.UnsupportedProtocolVersion);
            return null;
        }

        var flags = new ConnectFlags(reader.ReadByte());
        if (!flags.AreValid(version)) reader.Fail(ReasonCode.MalformedPacket);
        var keepAlive = reader.ReadUInt16();
        var properties = version == ProtocolVersion.V5
            ? PropertyReader.Read(ref reader, PropertyRules.For(PacketType.Connect))
            : PacketProperties.Empty;
        if (properties.AuthenticationData is not null && properties.AuthenticationMethod is null) reader.Fail(ReasonCode.ProtocolError);

        return new ConnectPacket
        {
            Version = version,
            IsBridge = isBridge,
            CleanStart = flags.CleanStart,
            KeepAliveSeconds = keepAlive,
            Properties = properties,
            ClientId = reader.ReadString(),
            Will = flags.HasWill ? ReadWill(ref reader, flags, version) : null,
            UserName = flags.HasUserName ? reader.ReadString() : null,
            Password = flags.HasPassword ? reader.ReadBinary() : default(ReadOnlyMemory<byte>?),
        };
    }

    /// <summary>The protocol level a body claims, whatever comes after it; null when it does not begin like a CONNECT of any MQTT.</summary>
    public static int? LevelOf(ReadOnlySpan<byte> body)
    {
        if (body.Length > 6 && body[..6].SequenceEqual("\0\u0004MQTT"u8)) return body[6] & (ConnectPacket.BridgeBit - 1);
        // MQTT 3.1 had another name; its clients understand the return codes of 3.1.1.
        return body.StartsWith("\0\u0006MQIsdp"u8) ? 3 : null;
    }

    /// <summary>MQTT 3.1, which old devices speak, differs from 3.1.1 in its name, and in nothing else that a server must mind.</summary>
    private static ProtocolVersion? VersionOf(string protocol, byte level) => (protocol, level) switch
    {
        ("MQTT", 5) => ProtocolVersion.V5,
        ("MQTT", 4) or ("MQIsdp", 3) => ProtocolVersion.V311,
        _ => null,
    };

    private static LastWill ReadWill(ref FieldReader reader, ConnectFlags flags, ProtocolVersion version)
    {
        var properties = version == ProtocolVersion.V5
            ? PropertyReader.Read(ref reader, PropertyRules.Will)
            : PacketProperties.Empty;
        var topic = reader.ReadString();
        if (!reader.Failed && !TopicName.IsValid(topic)) reader.Fail(ReasonCode.TopicNameInvalid);
        if (properties.ResponseTopic is { } response && !TopicName.IsValid(response)) reader.Fail(ReasonCode.ProtocolError);
        var payload = reader.ReadBinary();
        return new LastWill(
            PacketDecoder.ToMessage(topic, payload, flags.WillQoS, flags.WillRetain, properties),
            properties.WillDelaySeconds ?? 0);
    }
}
