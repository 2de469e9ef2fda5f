using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>Where a workload is best: the papers' equation 1, <c>T / (M - U)</c>, under its constraints. Pure.</summary>
/// <remarks><c>T</c> is the time a message takes to a node and through the workload there; <c>M - U</c> is what the node has left once the
/// workload runs there, as a share of what it has. CPU and memory are both bounds; the scarcer one counts.</remarks>
public static class PlacementPolicy
{
    /// <summary>Handling a message in the node itself, before the network: measured median of a broker hop, in milliseconds.</summary>
    private const double LocalMilliseconds = 0.5;

    /// <summary>Round trip assumed of a member that has not answered a probe yet.</summary>
    private static readonly TimeSpan UnknownRoundTrip = TimeSpan.FromMilliseconds(50);

    public static Candidate Judge(WorkloadSpec spec, NodeId node, Offer? offer, TimeSpan? roundTrip, string imageArchitecture)
    {
        if (offer is null)
            return Candidate.Unfit(node, "no valid offer heard");
        if (offer.Level < CollaborationLevel.Everything)
            return Candidate.Unfit(node, $"level {(int)offer.Level}: {offer.Why}");
        if (imageArchitecture.Length > 0 && offer.Architecture.Length > 0 && imageArchitecture != offer.Architecture)
            return Candidate.Unfit(node, $"image is for {imageArchitecture}, node is {offer.Architecture}");
        var cpuLeft = offer.CpuFreeCores - spec.CpuCoresNeeded;
        if (cpuLeft <= 0)
            return Candidate.Unfit(node, $"needs {spec.CpuCoresNeeded:0.00} cores, {offer.CpuFreeCores:0.00} free");
        var memoryLeft = offer.MemoryFreeBytes - spec.MemoryBytesNeeded;
        if (memoryLeft <= 0)
            return Candidate.Unfit(node, $"needs {spec.MemoryBytesNeeded >> 20} MiB, {offer.MemoryFreeBytes >> 20} free");
        var latency = LocalMilliseconds + (roundTrip ?? UnknownRoundTrip).TotalMilliseconds;
        if (spec.LatencyMillisecondsMax > 0 && latency >= spec.LatencyMillisecondsMax)
            return Candidate.Unfit(node, $"latency {latency:0.0} ms, at most {spec.LatencyMillisecondsMax:0.0} allowed");
        var left = Math.Min(cpuLeft / Math.Max(offer.CpuCores, 0.01), memoryLeft / (double)Math.Max(offer.MemoryBytes, 1));
        return new Candidate(node, latency / Math.Max(left, 1e-6), $"T {latency:0.0} ms, M-U {left:0.00}");
    }

    /// <summary>Fit candidates, cheapest first; ties go to the lower ID so that every node ranks alike.</summary>
    public static IReadOnlyList<Candidate> Rank(IEnumerable<Candidate> candidates) =>
        candidates.Where(candidate => candidate.IsFit).OrderBy(candidate => candidate.Cost).ThenBy(candidate => candidate.Node).ToList();
}

/// <param name="Cost">Lower is better; infinite when unfit.</param>
/// <param name="Why">The numbers behind the cost, or what makes it unfit.</param>
public sealed record Candidate(NodeId Node, double Cost, string Why)
{
    public bool IsFit => !double.IsPositiveInfinity(Cost);

    public static Candidate Unfit(NodeId node, string why) => new(node, double.PositiveInfinity, why);
}
