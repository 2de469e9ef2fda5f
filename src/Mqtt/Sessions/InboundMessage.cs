namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>A received QoS 1 or 2 message whose PUBACK or PUBREC has not been sent yet.</summary>
internal sealed class InboundMessage(ushort packetId, QoS qos)
{
    public ushort PacketId => packetId;

    public QoS QoS => qos;

    /// <summary>It may be acknowledged when its turn comes.</summary>
    public bool Ready { get; set; }

    public ReasonCode Reason { get; set; }

    /// <summary>Its subscribers have it; only the acknowledgement is kept back.</summary>
    public bool Routed { get; set; }

    /// <summary>So has the tap, on disk.</summary>
    public bool Kept { get; set; }

    /// <summary>It stands in the acknowledgement order of the present connection.</summary>
    public bool Queued { get; set; }
}
