using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>What is under way on one path, what of it is lost, and how much more may follow: loss by order of acknowledgements or by time (RACK, RFC 8985),
/// a window that grows and shrinks with it (RFC 5681), and on the radio a bucket of air time.</summary>
internal sealed class PathLoad(PeerPath path, Instant now)
{
    /// <summary>Packets sent after it that must have come before one counts as lost (RFC 8985, section 6.2).</summary>
    private const int ReorderMax = 3;

    private const int WindowFirst = 32 << 10;
    private const int WindowMax = 1 << 20;

    /// <summary>Timeouts in a row of which each waits half as long again.</summary>
    private const int BackoffMax = 4;

    private readonly Queue<Sending> _sent = [];
    private readonly PathPace _pace = path.Pace;
    private double _window = WindowFirst;
    private double _threshold = WindowMax;
    private int _underWay;
    private long _order;
    private long _highest;
    private long _recoveredAt;
    private int _backoff;
    private double _air = RadioFrames.BurstBytes;
    private Instant _filledAt = now;

    /// <summary>Nothing waits for an acknowledgement.</summary>
    public bool IsIdle => _underWay <= 0;

    /// <summary>Bytes that wait for an acknowledgement.</summary>
    internal int UnderWay => _underWay;

    /// <summary>The same, counted anew.</summary>
    internal int CountUnderWay() => _sent.Where(sending => IsOutstanding(sending)).Sum(static sending => sending.Chunk.Cost);

    /// <summary>Whether chunks may be sent now, or when; a packet may be larger than what is left of the window.</summary>
    public Instant ReadyAt(Instant now) => _underWay < _window ? AirReadyAt(now) : Instant.Never;

    /// <summary>When the oldest chunk counts as lost; <see cref="Instant.Never"/> when none is under way.</summary>
    public Instant TimeoutAt(TimeSpan patience)
    {
        DropSettled();
        return _sent.TryPeek(out var oldest) ? oldest.At + patience * Math.Pow(1.5, _backoff) : Instant.Never;
    }

    /// <summary>A packet begins: what is <see cref="Carry"/>-ed next is in it.</summary>
    public void Begin() => _order++;

    public void Carry(Chunk chunk, Instant now)
    {
        chunk.Path?.Load.Forget(chunk);
        (chunk.Order, chunk.SentAt, chunk.Path) = (_order, now, path);
        chunk.IsLost = false;
        chunk.Sends++;
        _sent.Enqueue(new Sending(chunk, _order, now));
        _underWay += chunk.Cost;
    }

    /// <summary>A packet of that size has gone.</summary>
    public void Spend(int packetBytes, Instant now)
    {
        if (_pace.AirBytesPerSecond is null)
            return;
        Fill(now);
        _air -= RadioFrames.AirBytes(packetBytes);
    }

    /// <summary>The peer has it.</summary>
    public void Acknowledged(Chunk chunk)
    {
        Forget(chunk);
        _highest = Math.Max(_highest, chunk.Order);
        _backoff = 0;
        _window = Math.Min(WindowMax, _window + (_window < _threshold ? chunk.Cost : (double)chunk.Cost * PacketSeal.PlainBytesMax / _window));
    }

    /// <summary>It is sent anew.</summary>
    private void Forget(Chunk chunk) => _underWay -= chunk.IsLost ? 0 : chunk.Cost;

    /// <summary>Marks what is lost.</summary>
    public void FindLost(TimeSpan patience, Instant now)
    {
        var late = now >= TimeoutAt(patience);
        while (true)
        {
            DropSettled();
            if (!_sent.TryPeek(out var oldest))
                return;
            var overtaken = oldest.Order + ReorderMax <= _highest;
            if (!overtaken && !(late && oldest.At + patience <= now))
                break;
            Lose(oldest);
        }
        if (late)
            _backoff = Math.Min(_backoff + 1, BackoffMax);
    }

    /// <summary>The path is gone: all that is under way is lost.</summary>
    public void LoseAll()
    {
        while (true)
        {
            DropSettled();
            if (!_sent.TryPeek(out var oldest))
                break;
            Lose(oldest);
        }
        (_window, _threshold, _backoff, _underWay) = (WindowFirst, WindowMax, 0, 0);
    }

    private void Lose(Sending lost)
    {
        _sent.Dequeue();
        _underWay -= lost.Chunk.Cost;
        lost.Chunk.IsLost = true;
        lost.Chunk.Lane.Lost(lost.Chunk);
        if (lost.Order <= _recoveredAt)
            return;
        // Once a round trip.
        _recoveredAt = _order;
        _threshold = _window = Math.Max(_pace.WindowMin, _window * 0.7);
    }

    private void DropSettled()
    {
        while (_sent.TryPeek(out var oldest) && !IsOutstanding(oldest))
            _sent.Dequeue();
    }

    private bool IsOutstanding(in Sending sending) =>
        !sending.Chunk.IsReceived && !sending.Chunk.IsLost && sending.Chunk.Path == path && sending.Chunk.Order == sending.Order;

    private Instant AirReadyAt(Instant now)
    {
        if (_pace.AirBytesPerSecond is not { } rate)
            return now;
        Fill(now);
        return _air > 0 ? now : now + TimeSpan.FromSeconds((1 - _air) / rate);
    }

    private void Fill(Instant now)
    {
        _air = Math.Min(RadioFrames.BurstBytes, _air + (now - _filledAt).TotalSeconds * _pace.AirBytesPerSecond!.Value);
        _filledAt = now;
    }

    /// <summary>One time that a chunk was sent.</summary>
    private readonly record struct Sending(Chunk Chunk, long Order, Instant At);
}
