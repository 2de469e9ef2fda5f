namespace EdgeFirmware.Mqtt.Packets;

/// <summary>DISCONNECT or AUTH: a reason and properties (MQTT 5 sections 3.14 and 3.15).</summary>
internal sealed class ReasonPacket(PacketType type) : Packet
{
    public override PacketType Type => type;

    public ReasonCode Reason { get; init; }
}
