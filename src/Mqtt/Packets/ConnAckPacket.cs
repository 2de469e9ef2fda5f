namespace EdgeFirmware.Mqtt.Packets;

/// <summary>CONNACK (MQTT 5 section 3.2).</summary>
internal sealed class ConnAckPacket : Packet
{
    public override PacketType Type => PacketType.ConnAck;

    public bool SessionPresent { get; init; }

    public ReasonCode Reason { get; init; }
}
