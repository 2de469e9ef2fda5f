namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>A counter of the kernel that may start anew (a device that comes back, another cgroup) or be unreadable for a while; what is told
/// only grows.</summary>
internal struct RisingCount
{
    private long? _last;

    public long Total { get; private set; }

    /// <param name="value">As read; negative when it could not be.</param>
    /// <returns>By how much it has grown since the reading before.</returns>
    public long Observe(long value)
    {
        if (value < 0)
            return 0;
        // What it had reached before the first reading counts: since boot.
        var grown = _last is { } last && value >= last ? value - last : _last is null ? value : 0;
        _last = value;
        Total += grown;
        return grown;
    }

    /// <summary>The next reading is of another counter: what that one had reached is not news.</summary>
    public void Change(long value) => _last = Math.Max(0, value);
}
