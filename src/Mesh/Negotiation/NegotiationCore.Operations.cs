using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What a user asks of this node. Every operation ends in exactly one <see cref="Answer"/>.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>A tombstone's epoch lies this far above what was removed: more than a node that was away can have reached by taking the
    /// workload over meanwhile, so that it does not come back with it.</summary>
    private const long RemovalReach = 1_000_000_000;

    /// <summary>Removals on their way to disk.</summary>
    private readonly HashSet<WorkloadId> _removing = [];

    /// <summary>Runs a new workload, here when this node can, else on the best peer.</summary>
    public void Deploy(Guid operation, WorkloadSpec spec, Instant now)
    {
        var faults = spec.Faults();
        var known = faults.Count > 0 ? null : _register.Find(spec.Id);
        var fault = faults.Count > 0 ? string.Join("; ", faults)
            : IsBusy(spec.Id) ? $"{spec.Id} is starting or moving already"
            : known is not null && known.State != WorkloadState.Removed ? $"{spec.Id} exists already, on {known.Owner.Name}: remove it first"
            : known is null && _register.IsFull ? $"the site holds {WorkloadRegister.CountMax} workloads"
            : "";
        if (fault.Length > 0)
        {
            End(operation, known, null, fault);
            return;
        }
        var record = new WorkloadRecord(spec, (known?.Epoch ?? 0) + 1, 0, _self, _self, WorkloadState.Running, null, "deployed");
        var deliberation = Deliberate(record, Trigger.Deployed, now);
        var best = BestPeer(spec, deliberation);
        var here = JudgeHere(spec);
        deliberation.Judged(here);
        var isBetterElsewhere = best is not null && best.Cost < here.Cost * Rules.CostShareMax;
        if (here.IsFit && !isBetterElsewhere || !_draining && !_members.Values.Any(member => member.Status == MemberStatus.Alive))
        {
            _decisions.Set(spec.Id, deliberation.Decide(_self, _self, here.IsFit ? "it is best here" : $"no other node is known; {here.Why}", 0), now);
            StartNewHere(record, "deployed", operation);
        }
        else
        {
            Depart(record, record.Epoch, $"deployed; not here: {(here.IsFit ? $"{best!.Node.Name} is better" : here.Why)}", operation, null, now, deliberation);
        }
    }

    /// <summary>Moves a workload; one that another node owns is moved by that node.</summary>
    /// <param name="to">The peer the user wants, or <c>null</c> for the best.</param>
    public void Move(Guid operation, WorkloadId id, NodeId? to, string why, Instant now)
    {
        var record = _register.Find(id);
        var fault = record is null || record.State == WorkloadState.Removed ? $"there is no workload {id}"
            : to == record.Owner ? $"{id} is on {record.Owner.Name} already"
            : to is { } wanted && wanted != _self && !_members.ContainsKey(wanted) ? $"{wanted.Name} is no member of this site"
            : IsBusy(id) ? $"{id} is moving or starting already"
            : record.Owner != _self && IsGone(record.Owner) ? $"{id} was on {record.Owner.Name}, which is gone: it is being restored"
            // Until it is known how that ended, another move could give away what is no longer ours. What runs here is ours.
            : record.Owner == _self && !_register.Running.Contains(id) && (record.State == WorkloadState.HandingOver || now < _caughtUpAt) ? $"{id} is starting: try again in a moment"
            : "";
        if (fault.Length > 0)
            End(operation, record, null, fault);
        else if (record!.Owner != _self)
            Forward(new Request(operation, RequestVerb.Move, id, to, why), record.Owner, now);
        else
            Depart(record, record.Epoch + 1, why, operation, to, now, Deliberate(record, Trigger.Asked, now));
    }

    /// <summary>Ends a workload everywhere: by its owner, or by any node when the owner is dead.</summary>
    public void Remove(Guid operation, WorkloadId id, string why, Instant now)
    {
        var record = _register.Find(id);
        var fault = record is null || record.State == WorkloadState.Removed ? $"there is no workload {id}"
            : IsBusy(id) ? $"{id} is moving or starting; try again when it has"
            : "";
        if (fault.Length > 0)
        {
            End(operation, record, null, fault);
            return;
        }
        if (record!.Owner != _self && !IsGone(record.Owner))
        {
            Forward(new Request(operation, RequestVerb.Remove, id, null, why), record.Owner, now);
            return;
        }
        var removed = Tombstone(record, why);
        _removing.Add(id);
        SaveThen(removed, (unsaved, then) =>
        {
            _removing.Remove(id);
            if (unsaved.Length == 0)
                Removed(removed);
            End(operation, removed, null, unsaved);
        });
    }

    private void Removed(WorkloadRecord removed)
    {
        _register.Running.Remove(removed.Id);
        if (removed.Supersedes(_register.Find(removed.Id)))
            Publish(removed);
        Begin(WorkKind.Discard, removed, why: removed.Why);
        Tell("removed", removed.Id, removed.Why);
    }

    private WorkloadRecord Tombstone(WorkloadRecord record, string why) => record with
    {
        Epoch = record.Epoch + RemovalReach, Revision = 0, Owner = _self, State = WorkloadState.Removed, HandedTo = null, Why = why,
    };

    /// <summary>The one end of every operation, whoever asked for it.</summary>
    private void End(Guid operation, WorkloadRecord? record, MoveFigures? figures, string fault, Explanation? explanation = null)
    {
        if (_served.TryGetValue(operation, out var served))
        {
            served.Reply = new Reply(operation, record, figures, fault) { Explanation = explanation };
            Send(served.Asker, served.Reply);
        }
        else if (operation != Guid.Empty)
        {
            Outbox.Enqueue(new Answer(operation, record, figures, fault) { Explanation = explanation });
        }
    }
}
