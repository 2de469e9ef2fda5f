namespace EdgeFirmware.Overlay.Sessions;

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
