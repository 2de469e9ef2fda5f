using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Advertisement;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

public sealed partial class NegotiationCore
{
    /// <summary>Workloads on their way in at once: each may hold an image transfer open.</summary>
    private const int ArrivalsMax = 8;

    private readonly Dictionary<Guid, Arrival> _arrivals = [];

    /// <summary>What open leases hold, for the own offer.</summary>
    public Reservation Promised => _arrivals.Values.Aggregate(
        default(Reservation), (sum, arrival) => arrival.IsToHold ? sum : sum + Reservation.For(arrival.Spec));

    /// <summary>A peer opens a transfer under a lease.</summary>
    /// <returns>What was agreed, or <c>null</c> when there is no such lease for this peer.</returns>
    public WorkloadSpec? BeginReceiving(Guid lease, NodeId from, Instant now)
    {
        if (!_arrivals.TryGetValue(lease, out var arrival) || arrival.From != from || arrival.Phase > ArrivalPhase.Prepared)
            return null;
        if (arrival.Phase == ArrivalPhase.Granted)
            arrival.Phase = ArrivalPhase.Receiving;
        arrival.Until = now + _timing.TransferTimeout;
        return arrival.Spec;
    }

    /// <summary>What comes under this lease is held, not run.</summary>
    public bool IsToHold(Guid lease) => _arrivals.TryGetValue(lease, out var arrival) && arrival.IsToHold;

    /// <summary>The transfer has ended.</summary>
    /// <returns>Whether the lease still stands; if not, the host throws away what it prepared.</returns>
    public bool Received(Guid lease, bool prepared, Instant now)
    {
        if (!_arrivals.TryGetValue(lease, out var arrival) || arrival.Phase > ArrivalPhase.Prepared)
            return false;
        if (!prepared)
        {
            Drop(arrival);
            return false;
        }
        arrival.Phase = ArrivalPhase.Prepared;
        // The sender's copy now stops in its own time before the next word comes.
        arrival.Until = now + _timing.Lease + TimeSpan.FromSeconds(arrival.Spec.StopSeconds);
        return true;
    }

    private void HandleAsk(Ask ask, NodeId from, Instant now)
    {
        var origin = ask.Origin ?? from;
        if (_arrivals.TryGetValue(ask.Lease, out var repeated))
        {
            if (repeated.From == origin)
                Promise(repeated);
            return; // a lease is for one
        }
        var why = WhyNever(ask);
        var unfit = why ?? WhyNotRun(ask);
        var isToHold = why is null && unfit is not null && ask.OrHold && (why = WhyNotHold(ask)) is null;
        why = isToHold ? null : unfit is null ? null : why ?? unfit;
        if (why is not null)
        {
            if (WhyNever(ask) is null && ask.Hops > 0 && PassOn(ask, origin, from, now))
                return;
            Send(from, new Refuse(ask.Lease, why));
            if (ask.Spec.Faults().Count == 0 && _register.Find(ask.Spec.Id) is { } better && better.Epoch >= ask.Epoch)
                Send(from, new Records([better], WantsReply: false));
            return;
        }
        var arrival = new Arrival(ask.Lease, origin, ask.Spec, isToHold ? unfit! : "")
        {
            Until = now + _timing.Lease, Via = origin == from ? null : from,
        };
        _arrivals.Add(ask.Lease, arrival);
        Tell(isToHold ? "counter-offered" : "granted", ask.Spec.Id, $"to {origin.Name}{(origin == from ? "" : $", asked by {from.Name}")}: {ask.Why}");
        Promise(arrival);
    }

    private void Promise(Arrival arrival) => Send(
        arrival.Via ?? arrival.From, arrival.IsToHold ? new CounterOffer(arrival.Lease, _ownOffer!, arrival.WhyNotRun) : new Grant(arrival.Lease, OfferBeside(arrival)));

    /// <summary>Less what is promised to others: of several that look at the same time each sees what is left for it.</summary>
    private Offer OfferBeside(Arrival arrival)
    {
        var (promised, own) = (Promised, Reservation.For(arrival.Spec));
        return _ownOffer! with
        {
            CpuFreeCores = Math.Max(0, _ownOffer.CpuFreeCores - Math.Max(0, promised.CpuCores - own.CpuCores)),
            MemoryFreeBytes = Math.Max(0, _ownOffer.MemoryFreeBytes - Math.Max(0, promised.MemoryBytes - own.MemoryBytes)),
        };
    }

    /// <returns>What keeps it from coming here at all; <c>null</c> when nothing does.</returns>
    private string? WhyNever(Ask ask)
    {
        if (ask.Spec.Faults() is { Count: > 0 })
            return "the specification is faulty";
        if (ask.Origin == _self || ask.Origin is { Value.Length: 0 })
            return "the ask is its own";
        if (ask.Epoch is < 1 or >= EpochMax)
            return $"no epoch {ask.Epoch} can be";
        if (_arrivals.Count >= ArrivalsMax)
            return $"{ArrivalsMax} workloads are on their way here already";
        if (IsBusy(ask.Spec.Id) || _register.Running.Contains(ask.Spec.Id))
            return "it runs, arrives or leaves here";
        if (_register.Find(ask.Spec.Id) is { State: WorkloadState.Held } held && held.Owner == _self)
            return "it is held here";
        if (_register.Find(ask.Spec.Id) is { } known && known.Epoch >= ask.Epoch)
            return $"epoch {ask.Epoch} is over: {known.Owner.Name} has {known.Epoch}";
        return _ownOffer is null ? "not measured yet" : null;
    }

    private string? WhyNotRun(Ask ask)
    {
        var offer = _ownOffer!;
        var promised = Promised;
        var fresh = offer with
        {
            CpuFreeCores = offer.CpuFreeCores - promised.CpuCores, MemoryFreeBytes = offer.MemoryFreeBytes - promised.MemoryBytes,
        };
        var verdict = PlacementPolicy.Judge(ask.Spec, _self, fresh, TimeSpan.Zero, ask.ImageArchitecture);
        return verdict.IsFit ? null : verdict.Why;
    }

    private string? WhyNotHold(Ask ask)
    {
        var verdict = HoldPolicy.Judge(_self, _ownOffer, TimeSpan.Zero, ask.ImageArchitecture);
        return verdict.IsFit ? null : verdict.Why;
    }

    private void HandleCancel(Cancel cancel, NodeId from)
    {
        if (_arrivals.TryGetValue(cancel.Lease, out var arrival) && (arrival.From == from || (arrival.Via == from && arrival.Phase == ArrivalPhase.Granted))
            && arrival.Phase <= ArrivalPhase.Prepared)
            Drop(arrival);
        PassOnCancel(cancel, from);
    }

    private void HandleActivate(Activate activate, NodeId from, Instant now)
    {
        var wanted = activate.Record;
        if (!IsSound(wanted) || wanted.Owner != _self || wanted.State is not (WorkloadState.Running or WorkloadState.Held))
            return;
        var known = _register.Find(wanted.Id);
        if (known is not null && known.Owner == _self && known.Epoch == wanted.Epoch && known.State != WorkloadState.Removed)
        {
            Send(from, new Activated(activate.Lease, known));
            return;
        }
        var arrival = FindArrival(activate.Lease, wanted.Id, from);
        if (arrival is { Phase: > ArrivalPhase.Prepared })
            return; // the answer comes when it has started
        var why = known is not null && known.Epoch >= wanted.Epoch ? $"{known.Owner.Name} has epoch {known.Epoch}"
            : arrival is not { Phase: ArrivalPhase.Prepared } ? "no prepared container under this lease"
            : "";
        if (why.Length == 0)
        {
            // A sender that restarted no longer knows what was agreed.
            arrival!.Record = wanted with { State = arrival.IsToHold ? WorkloadState.Held : wanted.State };
            arrival.Decision = activate.Decision is { } decision && decision.IsSound() ? decision : null;
            arrival.Phase = ArrivalPhase.Starting;
            if (arrival.Record.State == WorkloadState.Held)
                ArrivalStarted(arrival, "", now);
            else
                arrival.Step = Begin(WorkKind.Start, wanted, lease: arrival.Lease);
            return;
        }
        if (arrival is not null)
            Drop(arrival); // a repeated message must not find it prepared after all
        // Whoever was overtaken by more than one epoch must not take that workload back at an epoch in use: it learns who has it instead.
        if (known is not null && known.Supersedes(wanted))
            Send(from, new Records([known], WantsReply: false));
        else
            Send(from, new ActivationFailed(activate.Lease, wanted.Id, wanted.Epoch, why));
    }

    /// <summary>A sender that restarted no longer knows the lease: what it sent is found by its name.</summary>
    private Arrival? FindArrival(Guid lease, WorkloadId workload, NodeId from) => _arrivals.Values.FirstOrDefault(
        arrival => arrival.From == from && arrival.Spec.Id == workload && (arrival.Lease == lease || lease == Guid.Empty));

    private void ArrivalStarted(Arrival arrival, string fault, Instant now)
    {
        var record = arrival.Record!;
        if (fault.Length > 0)
        {
            Refuse(arrival, fault);
            return;
        }
        if (!record.Supersedes(_register.Find(record.Id)))
        {
            Refuse(arrival, "superseded while it started");
            return;
        }
        arrival.Phase = ArrivalPhase.Saving;
        SaveThen(record, (unsaved, then) => ArrivalSaved(arrival, unsaved, then));
    }

    private void ArrivalSaved(Arrival arrival, string fault, Instant now)
    {
        var record = arrival.Record!;
        if (fault.Length > 0)
        {
            Refuse(arrival, fault);
            return;
        }
        _arrivals.Remove(arrival.Lease);
        if (!record.Supersedes(_register.Find(record.Id)))
        {
            Begin(WorkKind.Discard, record, why: "superseded while it was saved");
            return;
        }
        Settle(record.Id, arrival.Decision, now);
        Publish(record);
        Send(arrival.From, new Activated(arrival.Lease, record));
        if (record.State == WorkloadState.Held)
        {
            Tell("held", record.Id, $"for {arrival.From.Name} at epoch {record.Epoch}: {record.Why}");
            return;
        }
        Tell("arrived", record.Id, $"from {arrival.From.Name} at epoch {record.Epoch}: {record.Why}");
        Runs(record.Id, now);
    }

    /// <summary>It did not start: nothing of it stays, and the sender may have it back.</summary>
    private void Refuse(Arrival arrival, string why)
    {
        var record = arrival.Record!;
        _arrivals.Remove(arrival.Lease);
        Begin(WorkKind.Discard, record, why: why);
        Send(arrival.From, new ActivationFailed(arrival.Lease, record.Id, record.Epoch, why));
        Tell("start-failed", record.Id, why);
    }

    private void Drop(Arrival arrival)
    {
        _arrivals.Remove(arrival.Lease);
        if (arrival.Phase == ArrivalPhase.Granted)
            return;
        Cancel(arrival.Lease);
        Outbox.Enqueue(new Work(Guid.Empty, WorkKind.DiscardPrepared, Unowned(arrival), arrival.From, arrival.Lease));
    }

    private static WorkloadRecord Unowned(Arrival arrival) =>
        new(arrival.Spec, 0, 0, arrival.From, arrival.From, WorkloadState.Running, null, "");

    /// <summary>Its owner has handed it to this node, on its disk at least, and all of it is here: should the owner be gone for good, this is
    /// what is rescued.</summary>
    private bool IsInheritance(Arrival arrival) =>
        arrival.Phase == ArrivalPhase.Prepared
        && _register.Find(arrival.Spec.Id) is { State: WorkloadState.HandingOver } record && record.HandedTo == _self && record.Owner == arrival.From;

    private Arrival? FindInheritance(WorkloadId id) => _arrivals.Values.FirstOrDefault(arrival => arrival.Spec.Id == id && IsInheritance(arrival));

    private void ExpireArrivals(Instant now)
    {
        foreach (var arrival in _arrivals.Values.Where(arrival => arrival.Phase <= ArrivalPhase.Prepared).ToList())
            if ((arrival.Until <= now || IsKnownGone(arrival.From)) && !IsInheritance(arrival))
            {
                Tell("lease-ended", arrival.Spec.Id, $"nothing more came from {arrival.From.Name}");
                Drop(arrival);
            }
    }
}
