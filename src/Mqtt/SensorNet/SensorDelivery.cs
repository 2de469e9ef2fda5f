namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>The one message that a sensor is being given, from its REGISTER, where it needs one, to its last acknowledgement.</summary>
internal sealed class SensorDelivery(ushort packetId, QoS qos)
{
    public ushort PacketId => packetId;

    public QoS QoS => qos;

    /// <summary>What the sensor has to answer: REGISTER, PUBLISH or PUBREL.</summary>
    public required SensorPacketType Stage { get; set; }

    /// <summary>Null when all but PUBREL was done on an earlier connection.</summary>
    public MqttMessage? Message { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; set; }

    /// <summary>Null as <see cref="Message"/> is.</summary>
    public SensorTopic? Topic { get; init; }

    /// <summary>Of REGISTER.</summary>
    public ushort MessageId { get; set; }

    /// <summary>The sensor did not know an id that it should: it is told once.</summary>
    public bool IsToldAgain { get; set; }

    public int Repetitions { get; set; }

    public TimeSpan RepeatAt { get; set; }
}
