using System.Numerics;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>What a frame is: the high three bits of its first byte.</summary>
internal enum FrameKind : byte
{
    /// <summary>Lane (3 bits), first (1), last (1); number (2 bytes), length (1 or 2), body.</summary>
    Chunk = 1,

    /// <summary>The same without a length: its body fills the packet.</summary>
    ChunkToEnd,

    /// <summary>The same without a number: the one after the chunk before it in the packet.</summary>
    NextChunk,

    /// <summary>The same with neither.</summary>
    NextChunkToEnd,

    /// <summary>Lane (3 bits), some are unsettled (1), some are early (1); the first number not received (2 bytes); how many before it are unsettled
    /// (1 or 2 bytes); early ones behind it as bits (a byte with the count of bytes, and these, the lowest first).</summary>
    Ack,

    /// <summary>Id (2 bytes): to be answered over the same path.</summary>
    Ping,

    /// <summary>Id (2 bytes).</summary>
    Pong,
}

/// <param name="Next">The low bits of the first number that was not received.</param>
/// <param name="Unsettled">How many before it have not been dealt with.</param>
/// <param name="Early">Bit i: the number i + 1 behind <paramref name="Next"/> was received.</param>
internal readonly record struct AckFrame(byte Lane, ushort Next, uint Unsettled, ulong Early)
{
    public const int BitsMax = 64;

    /// <param name="ahead">Of <see cref="Next"/>.</param>
    public bool Has(int ahead) => ahead is >= 1 and <= BitsMax && (Early >> (ahead - 1) & 1) != 0;
}

internal readonly ref struct ChunkFrame(byte lane, ushort number, bool isFirst, bool isLast, ReadOnlySpan<byte> body)
{
    public byte Lane { get; } = lane;

    /// <summary>The low bits.</summary>
    public ushort Number { get; } = number;

    public bool IsFirst { get; } = isFirst;

    public bool IsLast { get; } = isLast;

    public ReadOnlySpan<byte> Body { get; } = body;
}

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

/// <summary>Takes frames out of a packet that was authentic; what it cannot be is told all the same.</summary>
internal ref struct FrameReader(ReadOnlySpan<byte> packet)
{
    private readonly ReadOnlySpan<byte> _packet = packet;
    private int _at;
    private int _lane = -1;
    private ushort _number;

    public ChunkFrame Chunk { get; private set; }

    public AckFrame Ack { get; private set; }

    /// <summary>Of a ping or pong.</summary>
    public ushort Id { get; private set; }

    /// <summary>The rest is no frame.</summary>
    public bool IsMalformed { get; private set; }

    public FrameKind Kind { get; private set; }

    /// <returns>Whether there is another.</returns>
    public bool Read()
    {
        if (_at >= _packet.Length)
            return false;
        var first = _packet[_at++];
        Kind = (FrameKind)(first >> 5);
        var isRead = Kind switch
        {
            FrameKind.Chunk or FrameKind.ChunkToEnd or FrameKind.NextChunk or FrameKind.NextChunkToEnd => ReadChunk(first),
            FrameKind.Ack => ReadAck(first),
            FrameKind.Ping or FrameKind.Pong => ReadId(),
            _ => false,
        };
        IsMalformed |= !isRead;
        return isRead;
    }

    private bool ReadChunk(byte first)
    {
        var lane = (byte)(first >> 2 & 7);
        if (Kind is FrameKind.Chunk or FrameKind.ChunkToEnd)
        {
            if (!TryShort(out _number))
                return false;
            _lane = lane;
        }
        else if (_lane != lane)
            return false;
        else
            _number++;
        uint length = (uint)(_packet.Length - _at);
        if (Kind is FrameKind.Chunk or FrameKind.NextChunk && (!TryNumber(out length) || length > _packet.Length - _at))
            return false;
        Chunk = new ChunkFrame(lane, _number, (first & 2) != 0, (first & 1) != 0, _packet.Slice(_at, (int)length));
        _at += (int)length;
        return true;
    }

    private bool ReadAck(byte first)
    {
        uint unsettled = 0;
        ulong early = 0;
        if (!TryShort(out var next) || ((first & 2) != 0 && !TryNumber(out unsettled)))
            return false;
        if ((first & 1) != 0)
        {
            var bytes = _at < _packet.Length ? _packet[_at++] : 0;
            if (bytes is < 1 or > 8 || bytes > _packet.Length - _at)
                return false;
            for (var i = 0; i < bytes; i++)
                early |= (ulong)_packet[_at++] << 8 * i;
        }
        Ack = new AckFrame((byte)(first >> 2 & 7), next, unsettled, early);
        return true;
    }

    private bool ReadId()
    {
        var isRead = TryShort(out var id);
        Id = id;
        return isRead;
    }

    private bool TryShort(out ushort number)
    {
        number = 0;
        if (_packet.Length - _at < 2)
            return false;
        number = (ushort)(_packet[_at] << 8 | _packet[_at + 1]);
        _at += 2;
        return true;
    }

    private bool TryNumber(out uint number)
    {
        number = 0;
        if (_at >= _packet.Length)
            return false;
        number = _packet[_at++];
        if (number <= 0x7F)
            return true;
        if (_at >= _packet.Length)
            return false;
        number = (number & 0x7F) << 8 | _packet[_at++];
        return true;
    }
}
