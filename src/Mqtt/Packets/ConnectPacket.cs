namespace EdgeFirmware.Mqtt.Packets;

/// <summary>CONNECT (MQTT 5 section 3.1).</summary>
internal sealed class ConnectPacket : Packet
{
    public override PacketType Type => PacketType.Connect;

    public required ProtocolVersion Version { get; init; }

    /// <summary>In the protocol level, outside the standard: the client is a broker that bridges.</summary>
    public const byte BridgeBit = 0x80;

    /// <summary>Said by mosquitto's bridges, and by ours in version 3.1.1: what is subscribed to is wanted without the client's own messages.</summary>
    public bool IsBridge { get; init; }

    /// <summary>Empty when the client wants one assigned.</summary>
    public required string ClientId { get; init; }

    public bool CleanStart { get; init; }

    public ushort KeepAliveSeconds { get; init; }

    public LastWill? Will { get; init; }

    public string? UserName { get; init; }

    public ReadOnlyMemory<byte>? Password { get; init; }
}
