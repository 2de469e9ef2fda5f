namespace EdgeFirmware.Contracts.Mesh;

/// <summary>What a node foresees of itself, for the next <see cref="Horizon"/>.</summary>
/// <param name="CpuCoresLess">Cores that will likely be free less than now: 0 or more.</param>
/// <param name="MemoryBytesLess">The same for memory.</param>
/// <param name="Exhaustion">When the first of CPU, memory or disk runs out, counted from when it was said; <c>null</c> when none does.</param>
/// <param name="Failure">Likelihood that the node itself fails soon, 0-1: heat, under-voltage, storage, leaks, restarts.</param>
public readonly record struct Outlook(double CpuCoresLess, long MemoryBytesLess, TimeSpan? Exhaustion, double Failure)
{
    public static readonly TimeSpan Horizon = TimeSpan.FromMinutes(5);
}
