namespace EdgeFirmware.Mqtt;

/// <summary>What carries MQTT between a client and the broker.</summary>
public enum TransportKind
{
    Tcp,
    Tls,
    WebSocket,
    Unix,

    /// <summary>MQTT-SN over UDP.</summary>
    SensorNet,
}
