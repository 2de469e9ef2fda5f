using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

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

    /// <summary>A node that was short of something takes work again when it has this much more than where it was short.</summary>
    private const double ReliefFactor = 1.5;

    /// <param name="before">The offer before this one: what was short is short until there is clearly enough again.</param>
    public static Offer Calculate(OfferSources sources, Offer? before = null)
    {
        var reading = sources.Reading;
        var engine = sources.Engine;
        var cpuFree = Math.Clamp((reading.CpuCores * (1 - reading.CpuLoad)) - sources.Promised.CpuCores, 0, reading.CpuCores);
        var memoryFree = Math.Clamp(reading.MemoryFreeBytes - sources.Promised.MemoryBytes, 0, reading.MemoryBytes);
        var (level, why) = Judge(sources, cpuFree, memoryFree, before?.Level == CollaborationLevel.Storage ? ReliefFactor : 1);
        if (sources.Health is { } health && health.Level < level)
            (level, why) = (health.Level, health.Why);
        return new Offer(
            Version: 0, level, why, reading.CpuCores, cpuFree, reading.MemoryBytes, memoryFree, reading.DiskFreeBytes,
            engine?.Architecture ?? sources.Machine.Architecture, sources.Machine.PageBytes, engine is null ? "" : $"{engine.Name} {engine.Version}",
            engine?.CanCheckpoint ?? false, sources.Overloaded)
        {
            Outlook = sources.Outlook,
            Links = sources.Surroundings.Links,
            Labels = Merge(sources.Labels, sources.Surroundings.Sensors),
            Draining = sources.Draining,
        };
    }

    /// <summary>In order; where there are too many, the operator's stay.</summary>
    public static IReadOnlyList<string> Merge(IReadOnlyList<string> operators, IReadOnlyList<string> sensors)
    {
        if (operators.Count == 0 && sensors.Count == 0)
            return [];
        var all = new List<string>(Offer.LabelsMax);
        Take(operators);
        Take(sensors);
        all.Sort(StringComparer.Ordinal);
        return all;

        void Take(IReadOnlyList<string> labels)
        {
            foreach (var label in labels)
                if (all.Count < Offer.LabelsMax && !all.Contains(label))
                    all.Add(label);
        }
    }

    private static (CollaborationLevel Level, string Why) Judge(OfferSources sources, double cpuFree, long memoryFree, double relief)
    {
        var reading = sources.Reading;
        if (sources.Engine is null)
            return (CollaborationLevel.Messaging, "no container engine answers");
        if (sources.Draining)
            return (CollaborationLevel.Messaging, "draining");
        if (reading.DiskFreeBytes < DiskReserveBytes)
            return (CollaborationLevel.Messaging, $"{reading.DiskFreeBytes >> 20} MiB of disk left");
        if (sources.Overloaded)
            return (CollaborationLevel.Storage, "overloaded");
        if (cpuFree < reading.CpuCores * CpuReserveShare * relief)
            return (CollaborationLevel.Storage, $"{cpuFree:0.00} of {reading.CpuCores:0.0} cores free");
        if (memoryFree < MemoryReserveBytes * relief)
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
