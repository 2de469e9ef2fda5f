using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What a client's packets come over, whatever carries them: a stream of MQTT packets, or datagrams of a sensor.</summary>
internal interface IClientConnection : IPacketOutput
{
    MqttBroker Broker { get; }

    TransportKind Transport { get; }

    TimeSpan ConnectedAt { get; }

    /// <summary>Null before there is a session.</summary>
    TimeSpan? KeepAlive { get; }

    /// <summary>Why it is being ended from outside; null while it is not.</summary>
    ReasonCode? Aborted { get; }

    /// <summary>The client can be told reason strings also where it is not about the connection.</summary>
    bool TakesReasonStrings { get; }

    /// <summary>Encoded for the client and not yet taken by the kernel.</summary>
    int PendingBytes { get; }
}
