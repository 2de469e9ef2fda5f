using EdgeFirmware.Contracts;

namespace EdgeFirmware.Firmware.Users;

/// <summary>What the workloads of a user, or of all users of a tenant together, may ask for in the whole site. Null: no bound.</summary>
internal sealed record WorkloadQuotas
{
    public static readonly WorkloadQuotas None = new();

    public int? Workloads { get; init; }

    /// <value>Sum of what they say they need.</value>
    public double? CpuCores { get; init; }

    /// <value>Sum of what they may use.</value>
    public long? MemoryBytes { get; init; }

    /// <summary>Every bound that is not positive.</summary>
    public IEnumerable<string> Faults()
    {
        if (Workloads <= 0 || CpuCores <= 0 || MemoryBytes <= 0)
            yield return "workloads, cpuCores and memoryBytes: positive numbers are needed";
    }

    /// <returns>Which bound one more workload breaks; empty when none.</returns>
    /// <param name="whose">In words for the user.</param>
    public string WhyNot(WorkloadSpec more, IEnumerable<WorkloadSpec> held, string whose)
    {
        var (count, cores, bytes) = (1, more.CpuCoresNeeded, more.MemoryBytesNeeded);
        foreach (var one in held)
            (count, cores, bytes) = (count + 1, cores + one.CpuCoresNeeded, bytes + one.MemoryBytesNeeded);
        return count > Workloads ? $"{whose} may have {Workloads} workloads and has them"
            : cores > CpuCores ? $"{whose} may use {CpuCores:0.###} cores; with this one it would be {cores:0.###}"
            : bytes > MemoryBytes ? $"{whose} may use {MemoryBytes >> 20} MiB of memory; with this one it would be {bytes >> 20}"
            : "";
    }
}
