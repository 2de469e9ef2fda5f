using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What must happen without anybody asking: start what this node owns, rescue what a dead member owned, relieve an
/// overloaded node.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>More moves than a workload can make before a node that hears nothing of them takes it over.</summary>
    private const int EpochStride = 16;

    private const int Lanes = 8191;

    private readonly long _lane;

    private readonly Dictionary<WorkloadId, LocalStart> _starts = [];
    private readonly Dictionary<WorkloadId, Instant> _retryAt = [];
    private readonly Dictionary<WorkloadId, Instant> _strandedSince = [];
    private readonly Dictionary<WorkloadId, Instant> _unableUntil = [];

    /// <summary>The highest epoch at which a rescue by this node may have come to life elsewhere unheard.</summary>
    private readonly Dictionary<WorkloadId, long> _spent = [];

    /// <summary>Copies that ended before their start was confirmed, and how.</summary>
    private readonly Dictionary<WorkloadId, (bool Finished, string Why)> _endedEarly = [];
    private Instant _caughtUpAt;

    /// <param name="Step">Of the host's work; empty while the record goes to disk.</param>
    /// <param name="IsNew">The record is not known to the site yet: a failure leaves nothing of it behind.</param>
    private sealed record LocalStart(Guid Step, WorkloadRecord Record, bool IsNew, Guid Operation, string Why);

    /// <summary>The node has too much to do: the heaviest workload that has been here for a while leaves, if it is better off elsewhere.</summary>
    public void Relieve(string why, Instant now)
    {
        if (_departures.Count > 0)
            return;
        foreach (var record in Movable(_timing.Residence, now).Take(LooksMax))
        {
            var deliberation = Deliberate(record, Trigger.Overload, now);
            if (BestPeer(record.Spec, deliberation) is null)
                continue;
            Depart(record, record.Epoch + 1, why, Guid.Empty, null, now, deliberation);
            return;
        }
    }

    /// <summary>The node cannot keep what it owns: it goes where it can run, or to a node that holds it until one can. One after the other; to be
    /// repeated until nothing is left.</summary>
    public void LetGo(string why, Instant now)
    {
        if (_departures.Count > 0)
            return;
        foreach (var record in _register.Owned)
            if (!IsBusy(record.Id) && IsDue(record.Id, now) && (_register.Running.Contains(record.Id) || record.State == WorkloadState.Held))
            {
                Depart(record, record.Epoch + 1, why, Guid.Empty, null, now, Deliberate(record, Trigger.Stranded, now), mustLeave: true);
                return;
            }
    }

    /// <summary>A copy that ran here has ended by itself, or its engine has.</summary>
    /// <param name="finished">The application ended well: the workload is over (platform paper, section 1: auto clean-up).</param>
    public void CopyEnded(WorkloadId id, bool finished, string why, Instant now)
    {
        if (IsStarting(id))
            _endedEarly[id] = (finished, why);
        else if (_register.Running.Remove(id) && !_departures.ContainsKey(id))
            Ended(id, finished, why, now);
    }

    private void Ended(WorkloadId id, bool finished, string why, Instant now)
    {
        Tell("ended", id, why);
        _retryAt[id] = now + _timing.RetryDelay;
        if (finished)
            Remove(Guid.Empty, id, why, now);
    }

    private void Steward(Instant now)
    {
        foreach (var record in _register.All.Where(record => record.State != WorkloadState.Removed).ToList())
        {
            var inheritance = record.State == WorkloadState.HandingOver && _losses.IsLost(record.Owner, now) ? FindInheritance(record.Id) : null;
            if (inheritance is not null)
                _arrivals.Remove(inheritance.Lease); // what it prepared stays, for the rescue
            if (IsBusy(record.Id) || !IsDue(record.Id, now))
                continue;
            if (record.Owner != _self)
                RescueIfOrphaned(record, inheritance is not null, now);
            else if (now >= _caughtUpAt)
                RunIfIdle(record, now);
        }
    }

    private bool IsStarting(WorkloadId id) =>
        _starts.ContainsKey(id) || (_departures.TryGetValue(id, out var departure) && departure.Phase == DeparturePhase.TakingBack)
        || _arrivals.Values.Any(arrival => arrival.Spec.Id == id && arrival.Phase >= ArrivalPhase.Starting);

    /// <summary>A start is confirmed; that the copy has ended since may have been heard before.</summary>
    private void Runs(WorkloadId id, Instant now)
    {
        if (_endedEarly.Remove(id, out var ended))
            Ended(id, ended.Finished, ended.Why, now);
        else
            _register.Running.Add(id);
    }

    private bool IsDue(WorkloadId id, Instant now) => !_retryAt.TryGetValue(id, out var at) || at <= now;

    private void RunIfIdle(WorkloadRecord record, Instant now)
    {
        if (_register.Running.Contains(record.Id))
        {
            _strandedSince.Remove(record.Id);
            return;
        }
        if (record is { State: WorkloadState.HandingOver, HandedTo: { } peer })
        {
            // This node restarted between its promise and the answer: the peer knows how it ended.
            var departure = new Departure(record, record.Epoch + 1, hasCopy: false, record.Why, Guid.Empty, _timing, now);
            departure.Resume(peer);
            _departures.Add(record.Id, departure);
            Hand(departure, now);
            return;
        }
        if (record.State == WorkloadState.Held)
        {
            TendHeld(record, now);
            return;
        }
        var since = _strandedSince.TryGetValue(record.Id, out var at) ? at : _strandedSince[record.Id] = now;
        if (now - since >= _timing.StrandedPatience && _members.Values.Any(member => member.Offer?.Level == CollaborationLevel.Everything))
            Depart(record, record.Epoch + 1, "it cannot run on its node", Guid.Empty, null, now, Deliberate(record, Trigger.Stranded, now));
        else
            StartHere(record, "owned by this node");
    }

    private bool IsUnableHere(WorkloadId id, Instant now) => _unableUntil.TryGetValue(id, out var until) && until > now;

    /// <summary>What is held runs as soon as it can: here, which costs no move, else with whoever can.</summary>
    private void TendHeld(WorkloadRecord record, Instant now)
    {
        if (!IsUnableHere(record.Id, now) && JudgeHere(record.Spec).IsFit)
        {
            const string Why = "held here, and there is room now";
            StartHere(record with { Revision = record.Revision + 1, State = WorkloadState.Running, Why = Why }, Why);
            return;
        }
        var deliberation = Deliberate(record, Trigger.Stranded, now);
        if (BestPeer(record.Spec, deliberation) is not null)
            Depart(record, record.Epoch + 1, "held until a node could run it", Guid.Empty, null, now, deliberation);
    }

    private void StartHere(WorkloadRecord record, string why) =>
        _starts[record.Id] = new LocalStart(Begin(WorkKind.Start, record), record, IsNew: false, Guid.Empty, why);

    /// <summary>A record that nobody knows yet goes to disk first: a full disk starts nothing. If this node then loses power before it can tell
    /// the user, it starts the workload when it is back.</summary>
    private void StartNewHere(WorkloadRecord record, string why, Guid operation)
    {
        // It is busy until it runs: nobody may deploy or rescue it a second time meanwhile.
        var start = new LocalStart(Guid.Empty, record, IsNew: true, operation, why);
        _starts[record.Id] = start;
        SaveThen(record, (unsaved, now) =>
        {
            if (!IsCurrent(start))
                return; // superseded while it was saved, and dealt with then
            if (unsaved.Length > 0)
                StartEnded(start, unsaved, now);
            else
                _starts[record.Id] = start with { Step = Begin(WorkKind.Start, record) };
        });
    }

    private bool IsCurrent(LocalStart start) => _starts.TryGetValue(start.Record.Id, out var current) && ReferenceEquals(current, start);

    private void LocalStarted(LocalStart start, string fault, Instant now)
    {
        var record = start.Record;
        if (fault.Length > 0 && start.IsNew)
        {
            // What the user is told has failed must not come to life after a restart: he is told when the disk has forgotten it.
            Begin(WorkKind.Discard, record, why: fault);
            var ending = start with { Step = Guid.Empty };
            _starts[record.Id] = ending;
            SaveThen(record.Id, _register.Find(record.Id), (unsaved, then) =>
            {
                if (IsCurrent(ending))
                    StartEnded(ending, unsaved.Length == 0 ? fault : $"{fault}; and its record stays on disk: {unsaved}", then);
            });
            return;
        }
        if (fault.Length > 0)
        {
            StartEnded(start, fault, now);
            return;
        }
        _starts.Remove(record.Id);
        _strandedSince.Remove(record.Id);
        if (start.IsNew)
            Publish(record);
        else if (_register.Find(record.Id) is { State: WorkloadState.Held })
        {
            Publish(record);
            SaveThen(record, (unsaved, _) => TellIfUnsaved(record.Id, unsaved));
        }
        Tell("started", record.Id, $"{start.Why}, epoch {record.Epoch}");
        End(start.Operation, record, null, "");
        Runs(record.Id, now);
    }

    private void StartEnded(LocalStart start, string fault, Instant now)
    {
        var id = start.Record.Id;
        _starts.Remove(id);
        _retryAt[id] = now + _timing.RetryDelay;
        _unableUntil[id] = now + _timing.UnablePatience;
        Tell("start-failed", id, fault);
        End(start.Operation, start.Record, null, fault);
    }

    /// <summary>A better record has come: what was being started is not wanted any more.</summary>
    private void AbandonStart(WorkloadId id, string why)
    {
        if (!_starts.Remove(id, out var start))
            return;
        Cancel(start.Step);
        End(start.Operation, start.Record, null, why);
    }

    /// <param name="hasData">Its volumes are here, and nowhere else.</param>
    private void RescueIfOrphaned(WorkloadRecord record, bool hasData, Instant now)
    {
        if (!_losses.IsLost(record.Owner, now) || Guardian(record) != _self)
            return;
        var epoch = EpochBeyond(Math.Max(record.Epoch, _spent.GetValueOrDefault(record.Id)));
        var why = $"{record.Owner.Name} is gone";
        Tell("rescue", record.Id, why);
        var here = IsUnableHere(record.Id, now)
            ? Candidate.Unfit(_self, "it did not start here")
            : JudgeHere(record.Spec);
        var deliberation = Deliberate(record, Trigger.Rescue, now);
        var best = BestPeer(record.Spec, deliberation);
        deliberation.Judged(here);
        var taken = record with { Epoch = epoch, Revision = 0, Owner = _self, State = WorkloadState.Running, HandedTo = null, Why = why };
        var mustStay = hasData && record.Spec.Volumes.Count > 0;
        if (here.IsFit && (mustStay || best is null || here.Cost <= best.Cost))
        {
            _decisions.Set(record.Id, deliberation.Decide(_self, _self, why, 0), now);
            StartNewHere(taken, why, Guid.Empty);
        }
        else if (mustStay)
        {
            HoldNew(taken with { State = WorkloadState.Held }, why);
        }
        else
        {
            Depart(record, epoch, why, Guid.Empty, null, now, deliberation);
        }
    }

    private void HoldNew(WorkloadRecord record, string why)
    {
        var start = new LocalStart(Guid.Empty, record, IsNew: true, Guid.Empty, why);
        _starts[record.Id] = start;
        SaveThen(record, (unsaved, now) =>
        {
            if (!IsCurrent(start))
                return; // superseded while it was saved, and dealt with then
            if (unsaved.Length > 0)
            {
                StartEnded(start, unsaved, now);
                return;
            }
            _starts.Remove(record.Id);
            Publish(record);
            Tell("held", record.Id, $"{why}; at epoch {record.Epoch}");
        });
    }

    /// <summary>The owner is back before the rescue has come to life.</summary>
    private void StopNeedlessRescues(Instant now)
    {
        foreach (var start in _starts.Values)
            if (IsBack(start.Record.Id))
                Cancel(start.Step);
        foreach (var departure in _departures.Values.ToList())
            if (departure.Phase <= DeparturePhase.Transferring && IsBack(departure.Record.Id))
                Abandon(departure, $"{departure.Record.Owner.Name} is back", now);
    }

    private bool IsBack(WorkloadId id) =>
        _register.Find(id) is { State: not WorkloadState.Removed } record && record.Owner != _self && !IsGone(record.Owner);

    /// <summary>The epoch of a take-over that the owner has not agreed to. It skips the next few, which moves agreed on unheard may have used,
    /// and each run of a node skips to some of its own: two that take over on both sides of a partition, or before and after a restart, do not
    /// run at the same epoch. Should two draw the same number, the order of owners decides.</summary>
    private long EpochBeyond(long epoch) => epoch + (EpochStride * (1 + _lane));

    /// <summary>Who restores a dead member's workload: the node it was being handed to, which alone knows whether it has it; the node where it
    /// was deployed; else the lowest ID alive. Members with the same view name the same one.</summary>
    private NodeId Guardian(WorkloadRecord record)
    {
        if (record is { State: WorkloadState.HandingOver, HandedTo: { } heir } && !IsGone(heir))
            return heir;
        if (record.Origin == _self || !IsGone(record.Origin))
            return record.Origin;
        var lowest = _self;
        foreach (var member in _members.Values)
            if (member.Status is MemberStatus.Alive or MemberStatus.Suspect && member.Id.CompareTo(lowest) < 0)
                lowest = member.Id;
        return lowest;
    }

    /// <summary>Lets go of what has no effect any more, so that these tables are no larger than the register.</summary>
    private void Prune(Instant now)
    {
        RemoveWhere(_retryAt, (_, at) => at <= now);
        RemoveWhere(_unableUntil, (_, until) => until <= now);
        RemoveWhere(_tenures, (id, _) => !IsOwned(id) && !IsBusy(id));
        RemoveWhere(_unmoved, (id, _) => !IsOwned(id));
        RemoveWhere(_strandedSince, (id, _) => !IsOwned(id));
        RemoveWhere(_spent, (id, epoch) => _register.Find(id) is not { State: not WorkloadState.Removed } record || record.Epoch >= epoch);
    }

    private static void RemoveWhere<T>(Dictionary<WorkloadId, T> table, Func<WorkloadId, T, bool> isOver)
    {
        foreach (var (id, value) in table)
            if (isOver(id, value))
                table.Remove(id);
    }
}
