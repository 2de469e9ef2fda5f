using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>A lane's chunks as they come: put in order, joined to messages, each once; and what the peer is to be told of that.</summary>
internal sealed class ReceiveLane(byte number)
{
    /// <summary>What may be ahead of a gap.</summary>
    private const int EarlyBytesMax = 1 << 20;

    /// <summary>One message that is not whole yet.</summary>
    private const int MessageBytesMax = 4 << 20;

    private readonly Dictionary<uint, Piece> _early = [];
    private readonly Queue<uint> _unsettled = [];
    private MemoryStream? _joined;
    private uint _next;
    private uint _settled;
    private int _earlyBytes;
    private int _sinceAck;
    private bool _isSettledSaidLast;

    public byte Number { get; } = number;

    /// <summary>When the peer is to be told; <see cref="Instant.Never"/>: it knows all.</summary>
    public Instant AckAt { get; private set; } = Instant.Never;

    /// <summary>The first number with which this side has not dealt; pieces of a message that is not whole yet count as dealt with.</summary>
    private uint SettledTo => _unsettled.Count == 0 ? _next : _settled;

    /// <param name="gives">Called with each message that is whole, in order.</param>
    /// <returns>Whether it makes sense.</returns>
    public bool Take(in ChunkFrame chunk, TimeSpan ackDelay, int ackEvery, Action<ReadOnlyMemory<byte>> gives, Instant now)
    {
        var at = Expand(chunk.Number);
        var ahead = (int)(at - _next);
        if (ahead < 0 || _early.ContainsKey(at))
        {
            AckAt = now; // what was said of it got lost
            return true;
        }
        if (at - SettledTo >= SendLane.WindowChunks)
            return false; // it has to wait until what it sent has been dealt with
        if (ahead > 0 && _earlyBytes + chunk.Body.Length > EarlyBytesMax)
            return true;
        if (ahead > 0)
        {
            _early.Add(at, new Piece(chunk.Body.ToArray(), chunk.IsFirst, chunk.IsLast));
            _earlyBytes += chunk.Body.Length;
            AckAt = now; // the peer finds out what is missing
            return true;
        }
        if (!Join(chunk.Body, chunk.IsFirst, chunk.IsLast, gives))
            return false;
        while (_early.Remove(_next, out var piece))
        {
            _earlyBytes -= piece.Body.Length;
            if (!Join(piece.Body, piece.IsFirst, piece.IsLast, gives))
                return false;
        }
        Owe(ackDelay, ackEvery, now);
        return true;
    }

    /// <summary>The oldest message that was given out has been dealt with.</summary>
    public void Settle(TimeSpan ackDelay, Instant now)
    {
        _settled = _unsettled.Dequeue() + 1;
        AckAt = Instant.Min(AckAt, now + ackDelay);
        _isSettledSaidLast = true;
    }

    /// <summary>The peer asks whether this side is there: what was said last of messages dealt with may have been lost, and nothing that it could send again is missing.</summary>
    public void SayAgain(Instant now) => AckAt = _isSettledSaidLast ? now : AckAt;

    /// <summary>What to tell the peer now.</summary>
    public void WriteAck(ref FrameWriter writer)
    {
        ulong bits = 0;
        foreach (var at in _early.Keys)
            if (at - _next - 1 < AckFrame.BitsMax)
                bits |= 1UL << (int)(at - _next - 1);
        writer.Ack(Number, (ushort)_next, _next - SettledTo, bits);
        (AckAt, _sinceAck) = (Instant.Never, 0);
    }

    private bool Join(ReadOnlySpan<byte> body, bool isFirst, bool isLast, Action<ReadOnlyMemory<byte>> gives)
    {
        if (isFirst != (_joined is null) || (_joined?.Length ?? 0) + body.Length > MessageBytesMax)
            return false;
        _next++;
        _sinceAck++;
        _isSettledSaidLast = false;
        if (isFirst && isLast)
        {
            Give(body.ToArray(), gives);
            return true;
        }
        (_joined ??= new MemoryStream()).Write(body);
        if (!isLast)
            return true;
        var whole = _joined.ToArray();
        _joined = null;
        Give(whole, gives);
        return true;
    }

    private void Give(byte[] message, Action<ReadOnlyMemory<byte>> gives)
    {
        if (_unsettled.Count == 0)
            _settled = _next - 1; // its earlier pieces are kept here, which is all that counts for them
        _unsettled.Enqueue(_next - 1);
        gives(message);
    }

    private void Owe(TimeSpan delay, int every, Instant now) => AckAt = _early.Count > 0 || _sinceAck >= every ? now : Instant.Min(AckAt, now + delay);

    private uint Expand(ushort low)
    {
        var distance = (short)(low - (ushort)_next);
        return _next + (uint)distance;
    }

    private sealed record Piece(byte[] Body, bool IsFirst, bool IsLast);
}
