using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>What makes a node look for a place.</summary>
public enum Trigger
{
    /// <summary>A user deployed it.</summary>
    Deployed,

    /// <summary>A user moved it.</summary>
    Asked,

    /// <summary>Its node had too much to do.</summary>
    Overload,

    /// <summary>Another node had clearly less to do.</summary>
    Balance,

    /// <summary>Its node is being drained.</summary>
    Drain,

    /// <summary>Its node foresaw its own failure.</summary>
    Failure,

    /// <summary>Its node was gone.</summary>
    Rescue,

    /// <summary>It could not run on its node.</summary>
    Stranded,
}

public enum Outcome
{
    Chosen,

    /// <summary>It could have taken it, but another one was better.</summary>
    Fit,
    Unfit,

    /// <summary>Asked, it said no, did not answer, or failed.</summary>
    Refused,

    /// <summary>Where it was; it stays there unless another node is clearly better.</summary>
    Here,
}

/// <summary>One candidate of a decision.</summary>
/// <param name="Why">Why it was not chosen, or the numbers in words.</param>
/// <param name="Cost"><c>null</c>: unfit.</param>
public sealed record Verdict(NodeId Node, Outcome Outcome, string Why, double? Cost, CostTerms? Terms);

/// <summary>Why a workload is where it is: the numbers of every candidate. Kept in memory only, by the node that decided and, given along with the
/// workload, by the one that runs it.</summary>
/// <param name="By">The node that decided.</param>
/// <param name="To">The node chosen; <c>null</c> when none was.</param>
/// <param name="Why">What made it look, and how it ended.</param>
/// <param name="SecondsAgo">Counted when it was said.</param>
/// <param name="Moves">Recent moves that no user asked for, this one included.</param>
/// <param name="Candidates">Best first; at most <see cref="CandidatesMax"/>.</param>
/// <param name="LeftOut">Candidates beyond that.</param>
public sealed record Decision(
    Trigger Trigger, NodeId By, NodeId? To, string Why, double SecondsAgo, int Moves, IReadOnlyList<Verdict> Candidates, int LeftOut)
{
    public const int CandidatesMax = 32;
    public const int WhyLengthMax = 400;

    /// <summary>Whether a peer may have said that.</summary>
    public bool IsSound()
    {
        if (Why is null || Why.Length > WhyLengthMax || By.Value.Length == 0 || !Enum.IsDefined(Trigger) || LeftOut < 0 || Moves is < 0 or > Tenure.MovesMax
            || !(SecondsAgo is >= 0 and < 1e9) || Candidates is null || Candidates.Count > CandidatesMax)
            return false;
        foreach (var verdict in Candidates)
            if (verdict?.Why is null || verdict.Why.Length > WhyLengthMax || verdict.Node.Value.Length == 0 || !Enum.IsDefined(verdict.Outcome)
                || verdict.Terms is { } terms && terms.Scarce is not ("cpu" or "memory"))
                return false;
        return true;
    }
}
