using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <param name="Cost">Lower is better; infinite when unfit.</param>
/// <param name="Why">The numbers behind the cost, or what makes it unfit.</param>
public sealed record Candidate(NodeId Node, double Cost, string Why)
{
    public bool IsFit => !double.IsPositiveInfinity(Cost);

    /// <summary>Unfit only by figures that change from minute to minute: what is known of a peer may be old, and the peer knows better.</summary>
    public bool IsDoubtful { get; init; }

    /// <summary>What the cost is made of; <c>null</c> when the node is unfit.</summary>
    public CostTerms? Terms { get; init; }

    public static Candidate Unfit(NodeId node, string why) => new(node, double.PositiveInfinity, why);

    public static Candidate Doubtful(NodeId node, string why) => Unfit(node, why) with { IsDoubtful = true };
}

/// <summary>The numbers of equation 1 for one node. <c>cost = (T + move) · affinity · risk / (M - U)</c>.</summary>
/// <param name="LatencyMilliseconds">T.</param>
/// <param name="MoveMilliseconds">The move, spread over the residence; 0 for the node where it is.</param>
/// <param name="Scarce"><c>cpu</c> or <c>memory</c>: of which less is left, as a share; the three that follow are of it, as shares of what the node has.</param>
/// <param name="Capability">M: free now, less what the outlook takes.</param>
/// <param name="Need">U: what the workload needs more there; 0 where it runs, for there it is in use already.</param>
/// <param name="Left">M - U.</param>
/// <param name="Foreseen">What the outlook takes: part of neither M nor U.</param>
/// <param name="Affinity">1, more for each preferred label that is missing and for another page size.</param>
/// <param name="Risk">1, more the likelier the node fails or runs out of something.</param>
public sealed record CostTerms(
    double LatencyMilliseconds, double MoveMilliseconds, string Scarce, double Capability, double Need, double Left, double Foreseen,
    double Affinity, double Risk);
