namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// One MQTT-SN message (MQTT-SN 1.2 section 5.4). One class for all of them, because they are made of the same few fields; which of these a type
/// has is said once, in <see cref="SensorCodec"/>. What a type does not have keeps its default.
/// </summary>
internal sealed class SensorPacket(SensorPacketType type)
{
    public SensorPacketType Type => type;

    public bool Duplicate { get; init; }

    public QoS QoS { get; init; }

    /// <summary>QoS -1: a PUBLISH of somebody who need not be connected.</summary>
    public bool IsUnconnected { get; init; }

    public bool Retain { get; init; }

    /// <summary>A CONNECT after which the gateway asks for topic and message of the will.</summary>
    public bool HasWill { get; init; }

    public bool CleanSession { get; init; }

    public TopicIdType TopicIdType { get; init; }

    /// <summary>For <see cref="SensorNet.TopicIdType.Short"/> the name's two bytes.</summary>
    public ushort TopicId { get; init; }

    public ushort MessageId { get; init; }

    public SensorReturnCode ReturnCode { get; init; }

    /// <summary>Seconds: keep-alive of CONNECT, sleep of DISCONNECT (0: none, it leaves), time to the next ADVERTISE.</summary>
    public ushort Duration { get; init; }

    /// <summary>Id of a gateway, the radius of SEARCHGW, or the protocol id of a CONNECT that was read.</summary>
    public byte Number { get; init; }

    /// <summary>Client id, topic name, filter or will topic; empty where a message may leave it out.</summary>
    public string Text { get; init; } = "";

    /// <summary>Payload, will message, or a gateway's address.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }
}
