namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>Answers (MQTT-SN 1.2 section 5.3.10). All but the first are refusals.</summary>
internal enum SensorReturnCode : byte
{
    Accepted,

    /// <summary>Not now: the other side tries again later.</summary>
    Congestion,

    InvalidTopicId,

    /// <summary>Never: also for what the client has no right to.</summary>
    NotSupported,
}
