using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>Decides when the node has too much to do: pressure must last before it counts, and be gone for longer before it is over, so
/// that a burst moves nothing and a node does not flap. Pure: takes the instant.</summary>
public sealed class OverloadDetector
{
    public static readonly TimeSpan Sustained = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan Relieved = TimeSpan.FromSeconds(10);

    internal const double CpuLoadHigh = 0.92;
    private const double CpuLoadLow = 0.80;
    internal const double MemoryFreeLow = 0.08;
    private const double MemoryFreeHigh = 0.12;
    private const double MemoryPressureHigh = 0.20;

    private Instant? _since;

    public bool IsOverloaded { get; private set; }

    /// <summary>What is short, in words with numbers; empty when nothing is.</summary>
    public string Why { get; private set; } = "";

    /// <returns>Whether <see cref="IsOverloaded"/> changed.</returns>
    public bool Observe(ResourceReading reading, Instant now)
    {
        var pressure = Describe(reading, entering: !IsOverloaded);
        var turning = pressure.Length > 0 != IsOverloaded;
        if (pressure.Length > 0)
            Why = pressure;
        if (!turning)
        {
            _since = null;
            return false;
        }
        _since ??= now;
        if (now - _since < (IsOverloaded ? Relieved : Sustained))
            return false;
        _since = null;
        IsOverloaded = !IsOverloaded;
        if (!IsOverloaded)
            Why = "";
        return true;
    }

    private static string Describe(ResourceReading reading, bool entering)
    {
        if (reading.CpuLoad > (entering ? CpuLoadHigh : CpuLoadLow))
            return $"CPU at {reading.CpuLoad * 100:0} % of {reading.CpuCores:0.0#} cores";
        var free = reading.MemoryBytes == 0 ? 1 : reading.MemoryFreeBytes / (double)reading.MemoryBytes;
        if (free < (entering ? MemoryFreeLow : MemoryFreeHigh))
            return $"{reading.MemoryFreeBytes >> 20} of {reading.MemoryBytes >> 20} MiB memory free";
        if (reading.MemoryPressure > MemoryPressureHigh)
            return $"tasks wait for memory {reading.MemoryPressure * 100:0} % of the time";
        return "";
    }
}
