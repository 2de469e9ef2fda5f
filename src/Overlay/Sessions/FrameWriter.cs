using System.Numerics;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>Puts frames into a packet. The caller sees to it that they fit.</summary>
internal ref struct FrameWriter(Span<byte> packet)
{
    /// <summary>Of a chunk, besides its body.</summary>
    public const int ChunkOverheadMax = 5;

    /// <summary>Largest acknowledgement of one lane.</summary>
    public const int AckBytesMax = 3 + 2 + 1 + 8;

    private const int ShortMax = 0x7F;

    private readonly Span<byte> _packet = packet;
    private int _chunkAt = -1;
    private int _bodyAt;
    private int _lane = -1;
    private uint _number;

    public int Length { get; private set; }

    public readonly int Room => _packet.Length - Length;

    public void Ping(ushort id) => Short(FrameKind.Ping, 0, id);

    public void Pong(ushort id) => Short(FrameKind.Pong, 0, id);

    public void Ack(byte lane, ushort next, uint unsettled, ulong early)
    {
        Short(FrameKind.Ack, lane << 2 | (unsettled > 0 ? 2 : 0) | (early != 0 ? 1 : 0), next);
        if (unsettled > 0)
            Number(unsettled);
        if (early == 0)
            return;
        var bytes = (BitOperations.Log2(early) >> 3) + 1;
        _packet[Length++] = (byte)bytes;
        for (var i = 0; i < bytes; i++)
            _packet[Length++] = (byte)(early >> 8 * i);
    }

    public void Chunk(Chunk chunk)
    {
        var lane = chunk.Lane.Number;
        var isNext = lane == _lane && chunk.Number == _number + 1;
        (_chunkAt, _lane, _number) = (Length, lane, chunk.Number);
        var flags = lane << 2 | (chunk.IsFirst ? 2 : 0) | (chunk.IsLast ? 1 : 0);
        if (isNext)
            _packet[Length++] = First(FrameKind.NextChunk, flags);
        else
            Short(FrameKind.Chunk, flags, (ushort)chunk.Number);
        Number((uint)chunk.Size);
        _bodyAt = Length;
        chunk.Body.Span.CopyTo(_packet[Length..]);
        Length += chunk.Size;
    }

    /// <summary>The packet is complete: the last chunk's length goes without saying.</summary>
    public void End()
    {
        if (_chunkAt < 0)
            return;
        var lengthBytes = Length - _bodyAt > ShortMax ? 2 : 1;
        _packet[_bodyAt..Length].CopyTo(_packet[(_bodyAt - lengthBytes)..]);
        Length -= lengthBytes;
        _packet[_chunkAt] += 1 << 5;
    }

    private static byte First(FrameKind kind, int flags) => (byte)((int)kind << 5 | flags);

    private void Short(FrameKind kind, int flags, ushort number)
    {
        _packet[Length++] = First(kind, flags);
        _packet[Length++] = (byte)(number >> 8);
        _packet[Length++] = (byte)number;
    }

    private void Number(uint number)
    {
        if (number > ShortMax)
            _packet[Length++] = (byte)(0x80 | number >> 8);
        _packet[Length++] = (byte)number;
    }
}
