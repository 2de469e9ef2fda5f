namespace EdgeFirmware.Contracts.Resources;

/// <summary>What the node has and uses at one moment. "The node" is the nearest cgroup above the firmware that has a CPU or memory limit,
/// else the machine: a node in a container or slice must not offer what it may not use.</summary>
/// <param name="CpuCores">Usable cores: online processors or the cgroup's quota, whichever is less.</param>
/// <param name="CpuLoad">Share of <paramref name="CpuCores"/> in use since the last reading, 0-1.</param>
/// <param name="CpuPressure">Share of time that some task waited for CPU (PSI some avg10, or throttled periods of the quota), 0-1.</param>
/// <param name="MemoryBytes">Total usable memory.</param>
/// <param name="MemoryFreeBytes">MemAvailable, or limit minus working set (usage less inactive file pages).</param>
/// <param name="MemoryPressure">PSI memory some avg10, 0-1; 0 where the kernel has none.</param>
/// <param name="DiskBytes">Size of the filesystem that holds the data directory.</param>
/// <param name="DiskFreeBytes">What an unprivileged writer may still use.</param>
public readonly record struct ResourceReading(
    double CpuCores,
    double CpuLoad,
    double CpuPressure,
    long MemoryBytes,
    long MemoryFreeBytes,
    double MemoryPressure,
    long DiskBytes,
    long DiskFreeBytes);

/// <summary>Reads <see cref="ResourceReading"/> and <see cref="HealthReading"/>; rates are since the call before. Never throws.</summary>
public interface IResourceProbe
{
    ResourceReading Read();

    HealthReading ReadHealth();

    Surroundings ReadSurroundings();
}

/// <summary>What does not change while the firmware runs.</summary>
/// <param name="Architecture">In the engine's words: <c>amd64</c>, <c>arm64</c>, <c>arm</c>.</param>
public sealed record MachineDescription(
    string Architecture, int PageBytes, int Processors, long MemoryBytes, string KernelVersion, string OperatingSystem, string Model);
