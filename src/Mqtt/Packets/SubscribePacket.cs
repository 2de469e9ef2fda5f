namespace EdgeFirmware.Mqtt.Packets;

/// <summary>SUBSCRIBE (MQTT 5 section 3.8).</summary>
internal sealed class SubscribePacket : Packet
{
    public override PacketType Type => PacketType.Subscribe;

    public required ushort PacketId { get; init; }

    /// <summary>At least one.</summary>
    public required IReadOnlyList<SubscribeEntry> Entries { get; init; }
}

/// <summary>One filter of a SUBSCRIBE.</summary>
internal readonly record struct SubscribeEntry(string Filter, SubscriptionOptions Options);
