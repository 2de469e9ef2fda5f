namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What becomes of a PUBLISH the tap has seen.</summary>
public enum TapVerdict
{
    /// <summary>The broker routes it to subscribers and the retained store.</summary>
    Route,

    /// <summary>The tap has it; the broker does nothing but acknowledge.</summary>
    Taken,

    /// <summary>The tap would have to keep it and there is no room on the disk: nothing is done and the client is told so.</summary>
    Refused,
}
