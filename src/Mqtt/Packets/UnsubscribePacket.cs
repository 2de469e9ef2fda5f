namespace EdgeFirmware.Mqtt.Packets;

/// <summary>UNSUBSCRIBE (MQTT 5 section 3.10).</summary>
internal sealed class UnsubscribePacket : Packet
{
    public override PacketType Type => PacketType.Unsubscribe;

    public required ushort PacketId { get; init; }

    /// <summary>At least one.</summary>
    public required IReadOnlyList<string> Filters { get; init; }
}
