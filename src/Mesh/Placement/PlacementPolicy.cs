using System.Globalization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>Where a workload is best: the papers' equation 1, <c>T / (M - U)</c>, under its constraints. Pure.</summary>
/// <remarks><c>T</c> is the time a message takes to a node and through the workload there; <c>M - U</c> is what the node has left once the
/// workload runs there, as a share of what it has, when what it foresees has come true. CPU and memory are both bounds; the scarcer one counts.
/// See ADR 16.</remarks>
public static class PlacementPolicy
{
    /// <summary>For each preferred label that is missing.</summary>
    private const double MissingPreference = 1.5;

    private const double OtherPageSize = 1.25;

    /// <summary>A likelihood of failure up to this counts as noise.</summary>
    private const double FailureIgnored = 0.2;
    private const double RiskMax = 1000;

    /// <summary>What runs out within the minute is as good as out: a move takes that long.</summary>
    private static readonly TimeSpan ExhaustionNear = TimeSpan.FromMinutes(1);

    /// <summary>A node keeps what it has even with nothing left: the least share that is counted for staying.</summary>
    private const double LeftMinStaying = 0.01;

    /// <summary>The same of a node that is overloaded: its messages wait in queues that the round trip does not show.</summary>
    private const double LeftMinOverloaded = 0.002;

    public static Candidate Judge(WorkloadSpec spec, NodeId node, Offer? offer, TimeSpan? roundTrip, string imageArchitecture) => Judge(
        new PlacementCase(spec, imageArchitecture), node, offer,
        Latency.Of(Latency.LocalMilliseconds + (roundTrip?.TotalMilliseconds ?? Latency.UnknownRoundTripMilliseconds)), move: null);

    /// <summary>A node where the workload could come to run.</summary>
    /// <param name="latency">From where its data comes from.</param>
    /// <param name="move">What bringing it there takes; <c>null</c>: not to be counted.</param>
    public static Candidate Judge(PlacementCase what, NodeId node, Offer? offer, Latency latency, MoveBurden? move)
    {
        var spec = what.Spec;
        if (offer is null)
            return Candidate.Unfit(node, "no valid offer heard");
        if (offer.Draining)
            return Candidate.Unfit(node, "it is being drained");
        if (offer.Level < CollaborationLevel.Everything)
            return Candidate.Unfit(node, $"level {(int)offer.Level}: {offer.Why}") with { IsDoubtful = offer.Level == CollaborationLevel.Storage };
        if (what.ImageArchitecture.Length > 0 && offer.Architecture.Length > 0 && what.ImageArchitecture != offer.Architecture)
            return Candidate.Unfit(node, $"image is for {what.ImageArchitecture}, node is {offer.Architecture}");
        if (Missing(spec, node, offer) is { } label)
            return Candidate.Unfit(node, $"it has no label {label}");
        var (cpu, memory) = Free(offer);
        if (cpu - spec.CpuCoresNeeded <= 0)
            return Candidate.Doubtful(node, $"needs {spec.CpuCoresNeeded:0.00} cores, {offer.CpuFreeCores:0.00} free{Soon(offer.CpuFreeCores - cpu, "0.00")}");
        if (memory - spec.MemoryBytesNeeded <= 0)
            return Candidate.Doubtful(
                node, $"needs {spec.MemoryBytesNeeded >> 20} MiB, {offer.MemoryFreeBytes >> 20} free{Soon((offer.MemoryFreeBytes - memory) >> 20, "0")}");
        if (offer.Outlook.Exhaustion is { } exhaustion && exhaustion <= ExhaustionNear)
            return Candidate.Doubtful(node, $"it runs out of resources within {Math.Max(0, exhaustion.TotalSeconds):0} s");
        if (spec.LatencyMillisecondsMax > 0 && latency.Worst >= spec.LatencyMillisecondsMax)
            return Candidate.Unfit(node, $"latency {latency.Worst:0.0} ms, at most {spec.LatencyMillisecondsMax:0.0} allowed");
        var burden = move?.Milliseconds(latency.Mean, offer.Links) ?? 0;
        return Weigh(what, node, offer, latency.Mean, burden, spec.CpuCoresNeeded, spec.MemoryBytesNeeded, leftMin: 1e-6);
    }

    /// <summary>The node where it runs: what the workload needs is in use there already, and no move is needed. Nothing forbids staying but a
    /// label the node has lost.</summary>
    public static Candidate JudgeStaying(PlacementCase what, NodeId node, Offer? offer, Latency latency)
    {
        if (offer is null)
            return Candidate.Unfit(node, "not measured yet");
        return Missing(what.Spec, node, offer) is { } label
            ? Candidate.Unfit(node, $"it has lost the label {label}")
            : Weigh(what, node, offer, latency.Mean, burden: 0, 0, 0, offer.Overloaded ? LeftMinOverloaded : LeftMinStaying, overloaded: offer.Overloaded);
    }

    /// <summary>Fit candidates, cheapest first; ties go to the lower ID so that every node ranks alike.</summary>
    public static IReadOnlyList<Candidate> Rank(IEnumerable<Candidate> candidates) =>
        candidates.Where(candidate => candidate.IsFit).OrderBy(candidate => candidate.Cost).ThenBy(candidate => candidate.Node).ToList();

    private static Candidate Weigh(
        PlacementCase what, NodeId node, Offer offer, double latency, double burden, double cpuNeed, long memoryNeed, double leftMin, bool overloaded = false)
    {
        var (cpu, memory) = Free(offer);
        var (cores, bytes) = (Math.Max(offer.CpuCores, 0.01), (double)Math.Max(offer.MemoryBytes, 1));
        var (cpuLeft, memoryLeft) = ((cpu - cpuNeed) / cores, (memory - memoryNeed) / bytes);
        var isCpu = cpuLeft <= memoryLeft;
        var left = overloaded ? leftMin : Math.Max(Math.Min(cpuLeft, memoryLeft), leftMin);
        var terms = new CostTerms(
            latency, burden, isCpu ? "cpu" : "memory", isCpu ? cpu / cores : memory / bytes, isCpu ? cpuNeed / cores : memoryNeed / bytes, left,
            isCpu ? (offer.CpuFreeCores - cpu) / cores : (offer.MemoryFreeBytes - memory) / bytes, Affinity(what, node, offer), Risk(offer.Outlook));
        var cost = (latency + burden) * terms.Affinity * terms.Risk / left;
        if (!double.IsFinite(cost + terms.Capability + terms.Foreseen))
            return Candidate.Unfit(node, "its offer cannot be");
        return new Candidate(node, cost, $"T {latency:0.0} ms{(burden > 0 ? $" + {burden:0.00} for the move" : "")}, M-U {left:0.00}") { Terms = terms };
    }

    private static (double Cpu, long Memory) Free(Offer offer) => (
        offer.CpuFreeCores - Math.Clamp(offer.Outlook.CpuCoresLess, 0, Math.Max(0, offer.CpuFreeCores)), offer.MemoryFreeBytes - Math.Clamp(offer.Outlook.MemoryBytesLess, 0, Math.Max(0, offer.MemoryFreeBytes)));

    private static string Soon(double less, string format) =>
        less > 0 ? $", {less.ToString(format, CultureInfo.InvariantCulture)} of it likely used soon" : "";

    private static string? Missing(WorkloadSpec spec, NodeId node, Offer offer)
    {
        foreach (var label in spec.Requires)
            if (!NodeLabels.Has(node, offer, label))
                return label;
        return null;
    }

    private static double Affinity(PlacementCase what, NodeId node, Offer offer)
    {
        var factor = what.PageBytes > 0 && offer.PageBytes > 0 && what.PageBytes != offer.PageBytes ? OtherPageSize : 1;
        foreach (var label in what.Spec.Prefers)
            if (!NodeLabels.Has(node, offer, label))
                factor *= MissingPreference;
        return factor;
    }

    /// <summary>1 up to a likelihood of 0.2, 4 at 0.5, 64 at 0.8: worse, but not unfit. Where all nodes of a site are too hot, work must run somewhere.</summary>
    private static double Risk(Outlook outlook)
    {
        var sound = (1 - FailureIgnored) / (1 - Math.Clamp(outlook.Failure, FailureIgnored, 0.95));
        var risk = sound * sound * sound;
        if (outlook.Exhaustion is { } exhaustion && exhaustion < Outlook.Horizon)
            risk *= 1 + (3 * (1 - (Math.Max(0, exhaustion.TotalSeconds) / Outlook.Horizon.TotalSeconds)));
        return Math.Min(risk, RiskMax);
    }
}
