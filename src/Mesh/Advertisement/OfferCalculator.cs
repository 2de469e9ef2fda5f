using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>Turns what was measured into what is offered: the papers' collaboration level 0, 1 or 2 and the free resources. Pure.</summary>
public static class OfferCalculator
{
    /// <summary>Room a node keeps for itself: the firmware, the engine and the kernel on a 512 MB board.</summary>
    public const long MemoryReserveBytes = 48L << 20;

    /// <summary>Below this the engine cannot unpack an image safely.</summary>
    public const long DiskReserveBytes = 256L << 20;

    /// <summary>Less than this share of a node's cores free, and it takes no more work.</summary>
    public const double CpuReserveShare = 0.1;

    /// <param name="engine"><c>null</c> when none answers.</param>
    /// <param name="promised">What open leases hold, not yet visible in the reading.</param>
    public static Offer Calculate(
        ResourceReading reading, MachineDescription machine, EngineDescription? engine, Reservation promised, bool overloaded)
    {
        var cpuFree = Math.Clamp((reading.CpuCores * (1 - reading.CpuLoad)) - promised.CpuCores, 0, reading.CpuCores);
        var memoryFree = Math.Clamp(reading.MemoryFreeBytes - promised.MemoryBytes, 0, reading.MemoryBytes);
        var (level, why) = Judge(reading, engine, cpuFree, memoryFree, overloaded);
        return new Offer(
            Version: 0, level, why, reading.CpuCores, cpuFree, reading.MemoryBytes, memoryFree, reading.DiskFreeBytes,
            engine?.Architecture ?? machine.Architecture, machine.PageBytes, engine is null ? "" : $"{engine.Name} {engine.Version}",
            engine?.CanCheckpoint ?? false, overloaded);
    }

    private static (CollaborationLevel Level, string Why) Judge(
        ResourceReading reading, EngineDescription? engine, double cpuFree, long memoryFree, bool overloaded)
    {
        if (engine is null)
            return (CollaborationLevel.Messaging, "no container engine answers");
        if (reading.DiskFreeBytes < DiskReserveBytes)
            return (CollaborationLevel.Messaging, $"{reading.DiskFreeBytes >> 20} MiB of disk left");
        if (overloaded)
            return (CollaborationLevel.Storage, "overloaded");
        if (cpuFree < reading.CpuCores * CpuReserveShare)
            return (CollaborationLevel.Storage, $"{cpuFree:0.00} of {reading.CpuCores:0.0} cores free");
        if (memoryFree < MemoryReserveBytes)
            return (CollaborationLevel.Storage, $"{memoryFree >> 20} MiB of memory free");
        return (CollaborationLevel.Everything, "");
    }
}

/// <summary>Resources promised to workloads that are on their way.</summary>
public readonly record struct Reservation(double CpuCores, long MemoryBytes)
{
    public static Reservation operator +(Reservation a, Reservation b) => new(a.CpuCores + b.CpuCores, a.MemoryBytes + b.MemoryBytes);

    public static Reservation For(WorkloadSpec spec) => new(spec.CpuCoresNeeded, spec.MemoryBytesNeeded);
}
