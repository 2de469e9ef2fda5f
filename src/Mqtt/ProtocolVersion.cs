namespace EdgeFirmware.Mqtt;

/// <summary>The protocol level byte of CONNECT (MQTT 5 section 3.1.2.2).</summary>
public enum ProtocolVersion
{
    /// <summary>Also stands for a client of MQTT 3.1, which is served as one of 3.1.1.</summary>
    V311 = 4,

    V5 = 5,
}
