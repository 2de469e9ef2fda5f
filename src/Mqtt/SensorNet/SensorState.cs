namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>Of a sensor as its gateway sees it (MQTT-SN 1.2 section 6.14, figure 4).</summary>
internal enum SensorState
{
    /// <summary>It is asked for its will, or judged.</summary>
    Connecting,

    Active,

    /// <summary>It hears nothing until it asks.</summary>
    Asleep,

    /// <summary>It has asked, and hears until PINGRESP.</summary>
    Awake,

    /// <summary>It left, was refused, or was lost.</summary>
    Gone,
}
