namespace EdgeFirmware.Contracts;

public enum WorkloadState
{
    /// <summary>The owner runs it, or is starting it.</summary>
    Running,

    /// <summary>The owner has told <see cref="WorkloadRecord.HandedTo"/> to take over and waits for the answer: it runs no copy itself.</summary>
    HandingOver,

    /// <summary>Removed by its user. Kept as a tombstone so that a node that was away does not bring it back.</summary>
    Removed,

    /// <summary>The owner has its image, configuration and volumes on disk and runs no copy: it waits until it, or another node, can run it.
    /// Inputs wait where they were heard.</summary>
    Held,
}

/// <summary>What the site knows of a workload: one owner at an epoch. Only the owner changes a record within an epoch; whoever takes
/// a workload over raises the epoch. Of two records the one that <see cref="Supersedes"/> the other wins everywhere, so that after a
/// partition all nodes agree on one owner.</summary>
/// <param name="Epoch">Fencing number, raised at every change of owner: by one when both nodes agree, by more when one takes over alone or removes.</param>
/// <param name="Revision">Changes within the epoch.</param>
/// <param name="Origin">The node where it was deployed: restores it first when the owner dies.</param>
/// <param name="Why">Reason for the last change, in words for the operator.</param>
public sealed record WorkloadRecord(
    WorkloadSpec Spec, long Epoch, long Revision, NodeId Owner, NodeId Origin, WorkloadState State, NodeId? HandedTo, string Why)
{
    public WorkloadId Id => Spec.Id;

    /// <summary>Order of records of one workload: a removal beats everything, then the higher epoch, then (two nodes that took over in a
    /// partition) the higher owner ID, then the later revision.</summary>
    public bool Supersedes(WorkloadRecord? other)
    {
        if (other is null)
            return true;
        if (State == WorkloadState.Removed != (other.State == WorkloadState.Removed))
            return State == WorkloadState.Removed ? Epoch >= other.Epoch : Epoch > other.Epoch;
        if (Epoch != other.Epoch)
            return Epoch > other.Epoch;
        var byOwner = Owner.CompareTo(other.Owner);
        return byOwner != 0 ? byOwner > 0 : Revision > other.Revision;
    }
}
