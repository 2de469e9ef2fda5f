namespace EdgeFirmware.Mqtt.Access;

/// <summary>Which quota it was that somebody met.</summary>
public enum QuotaKind
{
    /// <summary>A CONNECT was refused with 0x97.</summary>
    Connections,

    /// <summary>A filter was refused with 0x97.</summary>
    Subscriptions,

    /// <summary>A message was dropped because too much waited.</summary>
    Queue,

    /// <summary>A publisher was not read from for a while.</summary>
    MessageRate,

    /// <summary>A connection was ended with 0x95.</summary>
    PacketBytes,

    /// <summary>A retained message was refused with 0x97, or one of QoS 0 dropped.</summary>
    Retained,
}
