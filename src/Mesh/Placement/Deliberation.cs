using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>Collects what was found of each candidate while a place is looked for.</summary>
internal sealed class Deliberation(Trigger trigger, int moves)
{
    private readonly Dictionary<NodeId, Candidate> _judged = [];
    private readonly Dictionary<NodeId, string> _refused = [];
    private Candidate? _here;

    public Trigger Trigger => trigger;

    /// <summary>Only what costs less than this is chosen.</summary>
    public double CostMax { get; init; } = double.PositiveInfinity;

    /// <summary>What a move takes to a node without the image; <c>null</c>: not to be counted.</summary>
    public MoveBurden? Burden { get; init; }

    /// <summary>Nodes that have the image.</summary>
    public IReadOnlySet<NodeId> Holders { get; init; } = new HashSet<NodeId>();

    /// <summary>When nobody takes it, this node does after all.</summary>
    public bool FallsBackHere { get; init; }

    public bool IsEmpty => _judged.Count == 0;

    /// <summary>The node where it is.</summary>
    public Candidate? Here { get => _here; init => _here = value; }

    public MoveBurden? BurdenTo(NodeId node) =>
        Burden is not null && Holders.Contains(node) ? Burden with { Bytes = MoveBurden.BytesWithoutImage } : Burden;

    /// <summary>As judged, but what is not clearly better than staying is no place to go.</summary>
    public Candidate Bounded(Candidate candidate) => candidate.IsFit && candidate.Cost > CostMax
        ? Candidate.Unfit(candidate.Node, $"cost {candidate.Cost:0.0}, not clearly better than {_here?.Cost ?? CostMax:0.0} where it is") with { Terms = candidate.Terms }
        : candidate;

    public void Judged(Candidate candidate)
    {
        _judged[candidate.Node] = candidate;
        _refused.Remove(candidate.Node);
    }

    public void Refused(NodeId node, string why) => _refused[node] = why;

    public Decision Decide(NodeId by, NodeId? to, string why, double secondsAgo)
    {
        var verdicts = new List<Verdict>(_judged.Count + 1);
        if (_here is { } here && here.Node != to)
            verdicts.Add(Of(here, Outcome.Here));
        foreach (var candidate in _judged.Values)
            if (candidate.Node != _here?.Node || candidate.Node == to)
                verdicts.Add(Of(candidate, candidate.Node == to ? Outcome.Chosen
                    : _refused.ContainsKey(candidate.Node) ? Outcome.Refused
                    : candidate.IsFit ? Outcome.Fit : Outcome.Unfit));
        verdicts.Sort(static (a, b) =>
        {
            var byOutcome = Order(a.Outcome).CompareTo(Order(b.Outcome));
            var byCost = byOutcome != 0 ? byOutcome : (a.Cost ?? double.MaxValue).CompareTo(b.Cost ?? double.MaxValue);
            return byCost != 0 ? byCost : a.Node.CompareTo(b.Node);
        });
        var leftOut = Math.Max(0, verdicts.Count - Decision.CandidatesMax);
        if (leftOut > 0)
            verdicts.RemoveRange(Decision.CandidatesMax, leftOut);
        return new Decision(trigger, by, to, Cut(why), secondsAgo, Math.Clamp(moves, 0, Tenure.MovesMax), verdicts, leftOut);
    }

    private Verdict Of(Candidate candidate, Outcome outcome) => new(
        candidate.Node, outcome, Cut(_refused.GetValueOrDefault(candidate.Node, candidate.Why)), candidate.IsFit ? candidate.Cost : null, candidate.Terms);

    private static int Order(Outcome outcome) => outcome switch
    {
        Outcome.Chosen => 0,
        Outcome.Here => 1,
        Outcome.Fit => 2,
        Outcome.Refused => 3,
        _ => 4,
    };

    private static string Cut(string text) => text.Length <= Decision.WhyLengthMax ? text : text[..(Decision.WhyLengthMax - 1)] + "…";
}
