namespace EdgeFirmware.Mesh.Wire;

/// <summary>The sliding anti-replay window of RFC 4303, section 3.4.3: 64 counters back, each accepted once.</summary>
internal sealed class ReplayWindow
{
    private const int Width = 64;

    private ulong _highest;
    private ulong _seen;

    public bool IsFresh(ulong counter)
    {
        if (counter > _highest)
        {
            var step = counter - _highest;
            _seen = step >= Width ? 1 : (_seen << (int)step) | 1;
            _highest = counter;
            return true;
        }
        var back = _highest - counter;
        if (back >= Width)
            return false;
        var bit = 1UL << (int)back;
        if ((_seen & bit) != 0)
            return false;
        _seen |= bit;
        return true;
    }
}
