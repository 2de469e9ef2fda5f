namespace EdgeFirmware.Mqtt;

/// <summary>Quality of service: how hard the two ends of one connection try (MQTT 5 section 4.3).</summary>
public enum QoS
{
    /// <summary>No acknowledgement; a message may be lost.</summary>
    AtMostOnce = 0,

    /// <summary>PUBACK; a message may arrive twice.</summary>
    AtLeastOnce = 1,

    /// <summary>PUBREC, PUBREL, PUBCOMP; a message arrives once.</summary>
    ExactlyOnce = 2,
}
