using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>Takes the noise out of what is measured once a second: exponentially weighted means of load and free memory. What is offered to
/// others is the mean; it shall hold for minutes. Pure: takes the instant.</summary>
public sealed class ReadingFilter
{
    /// <summary>Time constant: a step is followed to 63 % in this time, to 95 % in three times of it.</summary>
    public static readonly TimeSpan Constant = TimeSpan.FromSeconds(15);

    private Instant? _last;
    private double _load;
    private double _memoryFree;

    /// <returns>The reading with its means.</returns>
    public ResourceReading Observe(ResourceReading reading, Instant now)
    {
        // The first reading is all there is; after that each counts by the time it stands for.
        var weight = _last is { } last ? 1 - Math.Exp(-(now - last).TotalSeconds / Constant.TotalSeconds) : 1;
        _last = now;
        _load += weight * (reading.CpuLoad - _load);
        _memoryFree += weight * (reading.MemoryFreeBytes - _memoryFree);
        return reading with { CpuLoad = _load, MemoryFreeBytes = (long)_memoryFree };
    }

    /// <summary>The worse of the mean and of the last reading: what an ask is judged by, before the mean has followed.</summary>
    public static ResourceReading Worse(ResourceReading reading, ResourceReading mean) => reading with
    {
        CpuLoad = Math.Max(reading.CpuLoad, mean.CpuLoad),
        MemoryFreeBytes = Math.Min(reading.MemoryFreeBytes, mean.MemoryFreeBytes),
    };
}
