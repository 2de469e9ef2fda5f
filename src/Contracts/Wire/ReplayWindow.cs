namespace EdgeFirmware.Contracts.Wire;

/// <summary>The sliding anti-replay window of RFC 4303, section 3.4.3, kept as the ring of words of RFC 6479: each counter is accepted once, and
/// none that is further back than <see cref="Width"/>. That is wide since a radio with retransmissions of its own, or two paths, reorder by
/// hundreds.</summary>
public sealed class ReplayWindow
{
    public const int Width = 1024;

    private const int WordBits = 64;

    /// <summary>One word more than the window has, so that clearing a word ahead never clears counters inside of it.</summary>
    private readonly ulong[] _seen = new ulong[Width / WordBits + 1];

    private ulong _highest;

    /// <summary>The highest counter accepted; 0 before the first.</summary>
    public ulong Highest => _highest;

    /// <returns>Whether this counter is accepted now, which it is once. Only for what has been found authentic.</returns>
    public bool IsFresh(ulong counter)
    {
        var word = counter / WordBits;
        if (counter > _highest)
        {
            var ahead = Math.Min(word - _highest / WordBits, (ulong)_seen.Length);
            for (var i = 1UL; i <= ahead; i++)
                _seen[(_highest / WordBits + i) % (ulong)_seen.Length] = 0;
            _highest = counter;
        }
        else if (_highest - counter >= Width)
            return false;
        ref var bits = ref _seen[word % (ulong)_seen.Length];
        var bit = 1UL << (int)(counter % WordBits);
        if ((bits & bit) != 0)
            return false;
        bits |= bit;
        return true;
    }
}
