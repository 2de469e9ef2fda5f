namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>What the two bytes of a topic id stand for (MQTT-SN 1.2 section 5.3.4).</summary>
internal enum TopicIdType : byte
{
    /// <summary>A topic that was registered; in SUBSCRIBE and UNSUBSCRIBE a name instead of an id.</summary>
    Normal,

    /// <summary>A topic that both sides know beforehand.</summary>
    Predefined,

    /// <summary>The two bytes are the topic's name.</summary>
    Short,
}
