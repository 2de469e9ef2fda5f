namespace EdgeFirmware.Overlay.Sessions;

/// <summary>A lane's messages on their way to the peer: cut, numbered, and kept until the peer has dealt with them. Of several lanes the one with the lowest
/// number goes first.</summary>
internal sealed class SendLane(byte number)
{
    /// <summary>Chunks under way at most. Sixteen bits on the wire tell two windows' worth apart.</summary>
    public const int WindowChunks = 4096;

    /// <summary>Bytes that wait, before <see cref="TryPut"/> refuses: the store they come from has more room.</summary>
    private const int WaitingBytesMax = 1 << 20;

    /// <summary>What a message costs here besides its body: a million of one byte each are no megabyte.</summary>
    private const int MessageOverhead = 64;

    /// <summary>A smaller piece of a message is not worth its own header.</summary>
    private const int PieceMin = 256;

    private readonly Queue<OutgoingMessage> _waiting = [];
    private readonly Queue<Chunk> _underWay = [];
    private readonly Queue<Chunk> _lost = [];
    private int _cut;
    private int _bytes;
    private uint _next;
    private int _unreceived;

    public byte Number { get; } = number;

    /// <summary>The first chunk that the peer has not dealt with.</summary>
    public uint Settled { get; private set; }

    public bool HasLost
    {
        get
        {
            DropFound();
            return _lost.Count > 0;
        }
    }

    public bool HasNew => _waiting.Count > 0 && _next - Settled < WindowChunks;

    /// <summary>Size of what is sent next; 0 when there is nothing.</summary>
    public int NextBytes => HasLost ? _lost.Peek().Size : HasNew ? _waiting.Peek().Body.Length - _cut : 0;

    /// <summary>Nothing is kept here.</summary>
    public bool IsEmpty => _waiting.Count == 0 && _underWay.Count == 0;

    /// <summary>The peer has all that was sent, and has not said that it dealt with it; if that was lost, nothing here would be sent again.</summary>
    public bool AwaitsSettling => _underWay.Count > 0 && _unreceived == 0;

    /// <summary>Messages with which the peer has not dealt, in order.</summary>
    public IEnumerable<OutgoingMessage> Kept => _underWay.Where(static chunk => chunk.IsLast).Select(static chunk => chunk.Message).Concat(_waiting);

    /// <summary>Messages that wait for being sent.</summary>
    public int Waiting => _waiting.Count;

    /// <returns>Whether it was taken; otherwise there is too much already.</returns>
    public bool TryPut(OutgoingMessage message)
    {
        var cost = MessageOverhead + message.Body.Length;
        if (_bytes > 0 && _bytes + cost > WaitingBytesMax)
            return false;
        _bytes += cost;
        _waiting.Enqueue(message);
        return true;
    }

    /// <summary>Takes back what has not begun to go out.</summary>
    public void Withdraw(long token)
    {
        var isCut = _cut > 0; // the first one
        for (var left = _waiting.Count; left > 0; left--)
        {
            var message = _waiting.Dequeue();
            if (message.Token == token && !isCut)
                _bytes -= MessageOverhead + message.Body.Length;
            else
                _waiting.Enqueue(message);
            isCut = false;
        }
    }

    /// <summary>The next chunk for a packet: what was lost first.</summary>
    /// <param name="room">For its body.</param>
    /// <param name="isEmpty">The packet has no other chunk.</param>
    /// <returns><c>null</c>: nothing that fits.</returns>
    public Chunk? Take(int room, bool isEmpty)
    {
        if (HasLost)
        {
            if (_lost.Peek().Size > room)
                return null;
            return _lost.Dequeue();
        }
        if (!HasNew)
            return null;
        var message = _waiting.Peek();
        var left = message.Body.Length - _cut;
        var size = Math.Min(left, room);
        if (size < left && !(isEmpty || size >= PieceMin))
            return null;
        if (size <= 0 && left > 0)
            return null;
        var chunk = new Chunk(this, _next++, message, _cut, size);
        _underWay.Enqueue(chunk);
        _unreceived++;
        _cut += size;
        if (chunk.IsLast)
        {
            _waiting.Dequeue();
            _bytes -= MessageOverhead + message.Body.Length;
            _cut = 0;
        }
        return chunk;
    }

    public void Lost(Chunk chunk) => _lost.Enqueue(chunk);

    /// <summary>The oldest chunk that is under way; <c>null</c> when none is.</summary>
    public Chunk? Oldest
    {
        get
        {
            foreach (var chunk in _underWay)
                if (!chunk.IsReceived)
                    return chunk;
            return null;
        }
    }

    /// <summary>The peer tells what it has; what makes no sense is passed over.</summary>
    /// <param name="received">Called for each chunk of which that was not known.</param>
    /// <param name="settled">Called for each message that the peer has dealt with, in order.</param>
    public void Acknowledged(in AckFrame ack, Action<Chunk> received, Action<OutgoingMessage> settled)
    {
        var next = Expand(ack.Next);
        if (next - Settled > _next - Settled || ack.Unsettled > next - Settled)
            return; // of chunks that were never sent, or older than what is known: late
        foreach (var chunk in _underWay)
        {
            var ahead = (int)(chunk.Number - next);
            if (chunk.IsReceived || (ahead >= 0 && !ack.Has(ahead)))
                continue;
            chunk.IsReceived = true;
            _unreceived--;
            received(chunk);
        }
        var settledTo = next - ack.Unsettled;
        while (_underWay.TryPeek(out var first) && (int)(first.Number - settledTo) < 0)
        {
            _underWay.Dequeue();
            Settled = first.Number + 1;
            if (first.IsLast)
                settled(first.Message);
        }
    }

    private uint Expand(ushort low)
    {
        var number = (Settled & ~0xFFFFu) | low;
        return (int)(number - Settled) < 0 ? number + 0x10000 : number;
    }

    /// <summary>What has come after all, or has been sent again already.</summary>
    private void DropFound()
    {
        while (_lost.TryPeek(out var first) && (first.IsReceived || !first.IsLost))
            _lost.Dequeue();
    }
}
