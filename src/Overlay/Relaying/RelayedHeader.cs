using System.Buffers.Binary;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>What a relay sees of a datagram besides its bytes: how many relays may still pass it on (1), for whom it is (4) and from whom (4).</summary>
internal readonly record struct RelayedHeader(byte Hops, int To, int From)
{
    public const int Bytes = 1 + 2 * NodeHandle.Bytes;

    /// <summary>That a packet is longer by when it goes through others: this and the seal between neighbours.</summary>
    public const int Overhead = Bytes + PacketSeal.Overhead;

    /// <summary>Longest datagram that can be relayed.</summary>
    public const int InnerBytesMax = PacketSeal.PlainBytesMax - Bytes;

    /// <param name="relayed">At least <see cref="Bytes"/> long.</param>
    public static RelayedHeader Read(ReadOnlySpan<byte> relayed) =>
        new(relayed[0], BinaryPrimitives.ReadInt32BigEndian(relayed[1..]), BinaryPrimitives.ReadInt32BigEndian(relayed[5..]));

    public void Write(Span<byte> relayed)
    {
        relayed[0] = Hops;
        BinaryPrimitives.WriteInt32BigEndian(relayed[1..], To);
        BinaryPrimitives.WriteInt32BigEndian(relayed[5..], From);
    }
}
