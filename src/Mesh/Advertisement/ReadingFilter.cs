using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>Takes the noise out of what is measured once a second: exponentially weighted means of load and free memory. Pure: takes the instant.</summary>
/// <param name="constant">A step is followed to 63 % in this time, to 95 % in three times of it.</param>
public sealed class ReadingFilter(TimeSpan constant)
{
    /// <summary>For what is offered to others: it shall hold for minutes.</summary>
    public static readonly TimeSpan Lasting = TimeSpan.FromSeconds(15);

    /// <summary>For what an ask is judged by: neither what was true a while ago nor one busy second.</summary>
    public static readonly TimeSpan Present = TimeSpan.FromSeconds(3);

    private Instant? _last;
    private TimeSpan _seen;
    private double _load;
    private double _memoryFree;

    /// <returns>The reading with its means.</returns>
    public ResourceReading Observe(ResourceReading reading, Instant now)
    {
        var elapsed = _last is { } last ? now - last : TimeSpan.Zero;
        _last = now;
        _seen += elapsed;
        // At first a plain mean of all there is: the first reading is of the busy moment in which the firmware starts, and must not count for long.
        var share = _seen > TimeSpan.Zero ? Math.Min(1, elapsed / _seen) : 1;
        var weight = Math.Max(share, 1 - Math.Exp(-elapsed / constant));
        _load += weight * (reading.CpuLoad - _load);
        _memoryFree += weight * (reading.MemoryFreeBytes - _memoryFree);
        return reading with { CpuLoad = _load, MemoryFreeBytes = (long)_memoryFree };
    }
}
