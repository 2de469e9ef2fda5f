namespace EdgeFirmware.Mqtt.Packets;

/// <summary>PUBACK, PUBREC, PUBREL or PUBCOMP: the same shape four times (MQTT 5 sections 3.4 to 3.7).</summary>
internal sealed class AckPacket(PacketType type) : Packet
{
    public override PacketType Type => type;

    public required ushort PacketId { get; init; }

    public ReasonCode Reason { get; init; }
}
