using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>What is passed on over one link: no faster than the link carries beside what the node has to say itself, and no more waiting than a moment of it. What does
/// not fit is dropped, which the ends take as a sign to send less. Of the room, half is the most that comes from one neighbour.</summary>
internal sealed class RelayQueue(LinkKind kind, Instant now)
{
    /// <summary>The radio: 250 kbit/s less a tenth, of which all goes that the node sends itself; a tenth of Gigabit Ethernet, 2 Mbit/s of a modem.</summary>
    private readonly double _rate = kind switch
    {
        LinkKind.SixLowpan => 250_000 / 8.0 * 0.9,
        LinkKind.Cellular => 250_000,
        _ => 12_500_000,
    };

    /// <summary>A third of a second of the radio; for the others a burst of a window.</summary>
    private readonly int _bytesMax = kind == LinkKind.SixLowpan ? 8 << 10 : 256 << 10;

    private readonly int _burst = kind == LinkKind.SixLowpan ? RadioFrames.BurstBytes : 64 << 10;

    private readonly Queue<Waiting> _waiting = [];
    private double _credit = kind == LinkKind.SixLowpan ? RadioFrames.BurstBytes : 64 << 10;
    private Instant _filledAt = now;
    private int _bytes;

    /// <summary>What waits, the first one first.</summary>
    internal IEnumerable<byte[]> Passing
    {
        get
        {
            foreach (var waiting in _waiting)
                yield return waiting.Relayed;
        }
    }

    /// <summary>When the next one may go; <see cref="Instant.Never"/>: none waits.</summary>
    public Instant ReadyAt(Instant now)
    {
        if (_waiting.Count == 0)
            return Instant.Never;
        Fill(now);
        return _credit > 0 ? now : now + TimeSpan.FromSeconds((1 - _credit) / _rate);
    }

    /// <param name="from">The neighbour that it came from.</param>
    /// <param name="next">The neighbour that it goes to.</param>
    /// <returns>Whether there was room.</returns>
    public bool TryPut(int from, int next, byte[] relayed)
    {
        var ofOne = relayed.Length;
        foreach (var waiting in _waiting)
            ofOne += waiting.From == from ? waiting.Relayed.Length : 0;
        if (_bytes + relayed.Length > _bytesMax || ofOne > _bytesMax / 2)
            return false;
        _bytes += relayed.Length;
        _waiting.Enqueue(new Waiting(from, next, relayed));
        return true;
    }

    /// <summary>The next one, when it is time.</summary>
    public bool TryTake(out int next, out byte[] relayed, Instant now)
    {
        (next, relayed) = (0, []);
        if (ReadyAt(now) > now)
            return false;
        var first = _waiting.Dequeue();
        _bytes -= first.Relayed.Length;
        (next, relayed) = (first.Next, first.Relayed);
        return true;
    }

    /// <summary>A datagram has gone out over the link, of whomever.</summary>
    public void Spend(int datagramBytes, Instant now)
    {
        Fill(now);
        _credit = Math.Max(-_burst, _credit - (kind == LinkKind.SixLowpan ? RadioFrames.AirBytes(datagramBytes) : datagramBytes));
    }

    private void Fill(Instant now)
    {
        _credit = Math.Min(_burst, _credit + (now - _filledAt).TotalSeconds * _rate);
        _filledAt = now;
    }

    private sealed class Waiting(int from, int next, byte[] relayed)
    {
        public int From => from;

        public int Next => next;

        public byte[] Relayed => relayed;
    }
}
