namespace EdgeFirmware.Mqtt.Packets;

/// <summary>SUBACK or UNSUBACK: one reason for each filter asked for (MQTT 5 sections 3.9 and 3.11).</summary>
internal sealed class SubAckPacket(PacketType type) : Packet
{
    public override PacketType Type => type;

    public required ushort PacketId { get; init; }

    /// <summary>Empty for an UNSUBACK of MQTT 3.1.1, which carries none.</summary>
    public required IReadOnlyList<ReasonCode> Reasons { get; init; }
}
