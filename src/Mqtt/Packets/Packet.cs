namespace EdgeFirmware.Mqtt.Packets;

/// <summary>One decoded control packet. Immutable, and valid by itself: what depends on session state is judged later.</summary>
internal abstract class Packet
{
    public abstract PacketType Type { get; }

    /// <summary>The version 5 properties; empty for 3.1.1 and where a packet has none.</summary>
    public PacketProperties Properties { get; init; } = PacketProperties.Empty;
}
