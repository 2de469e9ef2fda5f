namespace EdgeFirmware.Mqtt.Packets;

/// <summary>PINGREQ or PINGRESP (MQTT 5 sections 3.12 and 3.13).</summary>
internal sealed class PingPacket : Packet
{
    public static readonly PingPacket Request = new(PacketType.PingReq);
    public static readonly PingPacket Response = new(PacketType.PingResp);

    private PingPacket(PacketType type) => Type = type;

    public override PacketType Type { get; }
}
