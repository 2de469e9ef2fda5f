using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

public sealed partial class NegotiationCore
{
    /// <summary>Rounds of asking before a departure is given up: each excludes who said no.</summary>
    private const int RoundsMax = 12;

    private readonly Dictionary<WorkloadId, Departure> _departures = [];

    /// <param name="mustLeave">It cannot stay: a peer that cannot run it either may hold it.</param>
    private void Depart(WorkloadRecord record, long epoch, string why, Guid operation, NodeId? to, Instant now, bool mustLeave = false)
    {
        var departure = new Departure(record, epoch, _register.Running.Contains(record.Id), why, operation, _timing, now) { Only = to, MustLeave = mustLeave };
        _departures.Add(record.Id, departure);
        AskAround(departure, now);
    }

    private void AskAround(Departure departure, Instant now)
    {
        var spec = departure.Record.Spec;
        var judged = _members.Values
            .Where(member => member.Status == MemberStatus.Alive && departure.Considers(member.Id))
            .Select(member => departure.IsForHolders
                ? HoldPolicy.Judge(member.Id, member.Offer, member.RoundTrip, ImageArchitecture)
                : PlacementPolicy.Judge(spec, member.Id, member.Offer, member.RoundTrip, ImageArchitecture))
            .ToList();
        var fit = departure.Rounds < RoundsMax ? PlacementPolicy.Rank(judged).Take(_timing.AsksMax).ToList() : [];
        if (fit.Count == 0 && departure is { MustLeave: true, IsForHolders: false })
        {
            departure.TurnToHolders();
            AskAround(departure, now);
            return;
        }
        if (fit.Count == 0)
        {
            if (!departure.HasCopy && PlacementPolicy.Judge(spec, _self, _ownOffer, TimeSpan.Zero, ImageArchitecture) is { IsFit: false } here)
                departure.Refusals.Insert(0, $"{_self.Name}: {here.Why}");
            departure.Refusals.AddRange(judged.Where(candidate => !candidate.IsFit).Select(candidate => $"{candidate.Node.Name}: {candidate.Why}"));
            Fail(departure, "no peer can take it" + Listed(departure.Refusals), now);
            return;
        }
        var asks = new List<(NodeId, Guid)>(fit.Count);
        foreach (var candidate in fit)
            asks.Add((candidate.Node, NewStep()));
        departure.BeginAsking(asks, now);
        foreach (var (peer, lease) in departure.Asked)
            Send(peer, new Ask(lease, spec, departure.NextEpoch, ImageArchitecture, departure.Why, departure.IsForHolders));
    }

    /// <summary>The own engine's architecture: an image that runs here is made for it.</summary>
    private string ImageArchitecture => _ownOffer?.Architecture ?? "";

    private static string Listed(List<string> reasons) => reasons.Count == 0 ? ": no other member is alive" : $" ({string.Join("; ", reasons)})";

    private void HandleGrant(Grant grant, NodeId from, Instant now)
    {
        if (FindAsking(from, grant.Lease) is not { } departure)
        {
            if (!_departures.Values.Any(other => other.Lease == grant.Lease))
                Send(from, new Cancel(grant.Lease));
            return;
        }
        var roundTrip = _members.TryGetValue(from, out var member) ? member.RoundTrip : null;
        var candidate = PlacementPolicy.Judge(departure.Record.Spec, from, grant.Offer, roundTrip, ImageArchitecture);
        if (candidate.IsFit)
            departure.Granted(candidate, now);
        else
        {
            Send(from, new Cancel(grant.Lease));
            departure.Refused(from, $"granted, but {candidate.Why}");
        }
        ChooseIfReady(departure, now);
    }

    private void HandleCounterOffer(CounterOffer counter, NodeId from, Instant now)
    {
        if (FindAsking(from, counter.Lease) is not { } departure)
        {
            if (!_departures.Values.Any(other => other.Lease == counter.Lease))
                Send(from, new Cancel(counter.Lease));
            return;
        }
        var roundTrip = _members.TryGetValue(from, out var member) ? member.RoundTrip : null;
        var candidate = HoldPolicy.Judge(from, counter.Offer, roundTrip, ImageArchitecture);
        if (departure.IsForHolders && candidate.IsFit)
            departure.CounterOffered(candidate);
        else
        {
            Send(from, new Cancel(counter.Lease));
            departure.Refused(from, departure.IsForHolders ? $"offered to hold it, but {candidate.Why}" : "offered to hold it, unasked");
        }
        ChooseIfReady(departure, now);
    }

    private void HandleRefuse(Refuse refuse, NodeId from, Instant now)
    {
        if (FindAsking(from, refuse.Lease) is not { } departure)
            return;
        departure.Refused(from, refuse.Why);
        Tell("refused", departure.Record.Id, $"{from.Name}: {refuse.Why}");
        ChooseIfReady(departure, now);
    }

    private Departure? FindAsking(NodeId peer, Guid lease) =>
        _departures.Values.FirstOrDefault(departure => departure.Phase == DeparturePhase.Selecting && departure.Expects(peer, lease));

    private void ChooseIfReady(Departure departure, Instant now)
    {
        if (!departure.IsSelectionOver(now))
            return;
        var spare = departure.Choose(now);
        if (spare is null)
        {
            foreach (var silent in departure.Asked.Keys.ToList())
                departure.Refused(silent, "no answer");
            AskAround(departure, now);
            return;
        }
        foreach (var (peer, lease) in spare)
            Send(peer, new Cancel(lease));
        departure.Phase = DeparturePhase.Transferring;
        departure.Deadline = now + _timing.TransferTimeout;
        departure.Step = Begin(WorkKind.Transfer, departure.RecordFor(departure.Peer), departure.Peer, departure.Lease);
        Tell("leaving", departure.Record.Id, $"to {departure.Peer.Name}{(departure.IsToHold ? ", which holds it" : "")}: {departure.Why}");
    }

    private void DepartureWorked(Departure departure, long bytes, string fault, Instant now)
    {
        departure.Step = Guid.Empty;
        departure.BytesSent += bytes;
        switch (departure.Phase)
        {
            case DeparturePhase.Transferring when fault.Length > 0:
                Send(departure.Peer, new Cancel(departure.Lease));
                Tell("transfer-failed", departure.Record.Id, $"{departure.Peer.Name}: {fault}");
                departure.Refused(departure.Peer, fault);
                AskAround(departure, now);
                break;
            case DeparturePhase.Transferring when departure.HasCopy:
                departure.Phase = DeparturePhase.Quiescing;
                departure.Deadline = Instant.Never;
                departure.Frozen = now;
                departure.Step = Begin(WorkKind.Quiesce, departure.Record);
                break;
            case DeparturePhase.Transferring when departure.IsHeldHere && departure.Record.Spec.Volumes.Count > 0:
                SendVolumes(departure);
                break;
            case DeparturePhase.Transferring when IsOwned(departure.Record.Id):
                SaveHandover(departure); // also without a copy: a restart here must not start one beside the peer's
                break;
            case DeparturePhase.Transferring:
                Hand(departure, now);
                break;
            case DeparturePhase.Quiescing or DeparturePhase.TransferringVolumes when fault.Length > 0:
                Send(departure.Peer, new Cancel(departure.Lease));
                TakeBack(departure, departure.Record.Epoch, fault, now);
                break;
            case DeparturePhase.Quiescing when departure.Record.Spec.Volumes.Count > 0:
                SendVolumes(departure);
                break;
            case DeparturePhase.Quiescing or DeparturePhase.TransferringVolumes:
                SaveHandover(departure);
                break;
            case DeparturePhase.TakingBack:
                TakenBack(departure, fault, now);
                break;
        }
    }

    private void SendVolumes(Departure departure)
    {
        departure.Phase = DeparturePhase.TransferringVolumes;
        departure.Deadline = Instant.Never;
        departure.Step = Begin(WorkKind.TransferVolumes, departure.RecordFor(departure.Peer), departure.Peer, departure.Lease);
    }

    private void SaveHandover(Departure departure)
    {
        departure.Phase = DeparturePhase.SavingHandover;
        departure.Deadline = Instant.Never;
        _register.Running.Remove(departure.Record.Id);
        var handing = departure.Record with
        {
            Revision = departure.Record.Revision + 1, State = WorkloadState.HandingOver, HandedTo = departure.Peer, Why = departure.Why,
        };
        SaveThen(handing, (fault, now) =>
        {
            if (!IsCurrent(departure))
                return;
            if (fault.Length > 0)
            {
                Send(departure.Peer, new Cancel(departure.Lease));
                TakeBack(departure, departure.Record.Epoch, fault, now);
                return;
            }
            departure.Record = handing;
            Publish(handing);
            Hand(departure, now);
        });
    }

    private void Hand(Departure departure, Instant now)
    {
        departure.Phase = DeparturePhase.Activating;
        departure.Deadline = now + _timing.ActivateTimeout;
        departure.NextActivate = now;
        if (IsKnownGone(departure.Peer))
            PeerIsGone(departure, now);
        else
            AdvanceDeparture(departure, now);
    }

    private void AdvanceDeparture(Departure departure, Instant now)
    {
        switch (departure.Phase)
        {
            case DeparturePhase.Selecting:
                ChooseIfReady(departure, now);
                break;
            case DeparturePhase.Transferring when departure.Deadline <= now:
                Abandon(departure, $"transfer to {departure.Peer.Name} did not end", now);
                break;
            case DeparturePhase.Activating when departure.Deadline <= now:
                ActivationEnded(departure, $"{departure.Peer.Name} did not answer", isCertain: false, now);
                break;
            case DeparturePhase.Activating when departure.NextActivate <= now:
                departure.NextActivate = now + _timing.ActivateRepeat;
                Send(departure.Peer, new Activate(departure.Lease, departure.RecordFor(departure.Peer)));
                break;
        }
    }

    private void HandleActivated(Activated activated, NodeId from, Instant now)
    {
        if (!IsSound(activated.Record) || activated.Record.State == WorkloadState.Removed || activated.Record.Owner != from || !_departures.TryGetValue(activated.Record.Id, out var departure) || departure.Peer != from
            || departure.Phase != DeparturePhase.Activating || activated.Record.Epoch != departure.NextEpoch)
            return;
        var told = activated.Record;
        var record = departure.RecordFor(from) with { Revision = told.Revision, State = told.State, HandedTo = told.HandedTo, Why = told.Why };
        _departures.Remove(record.Id);
        var figures = departure.Figures(departure.Record.Owner, from, record.Epoch, now);
        if (record.Supersedes(_register.Find(record.Id)))
            Publish(record);
        SaveThen(record, (fault, _) => TellIfUnsaved(record.Id, fault));
        Begin(WorkKind.Discard, record, why: $"moved to {from.Name}");
        TellMoved(record.Id, figures);
        End(departure.Operation, record, figures, "");
    }

    private void HandleActivationFailed(ActivationFailed failed, NodeId from, Instant now)
    {
        if (_departures.TryGetValue(failed.Workload, out var departure) && departure.Peer == from
            && departure.Phase == DeparturePhase.Activating && failed.Epoch == departure.NextEpoch)
            ActivationEnded(departure, $"{from.Name}: {failed.Why}", isCertain: true, now);
    }

    /// <summary>The peer will not be the owner at that epoch, or it is not known whether it is. A move comes back here under a higher one; a
    /// rescue is tried again by <see cref="Steward"/>; a new deployment goes to the next candidate, or has failed.</summary>
    /// <param name="isCertain">The peer itself says that it never runs it at that epoch.</param>
    private void ActivationEnded(Departure departure, string why, bool isCertain, Instant now)
    {
        departure.NextActivate = Instant.Never;
        var id = departure.Record.Id;
        if (IsOwned(id))
        {
            TakeBack(departure, isCertain ? departure.NextEpoch + 1 : EpochBeyond(departure.NextEpoch), why, now);
        }
        else if (isCertain)
        {
            departure.StartFailed(why);
            AskAround(departure, now);
        }
        else
        {
            if (_register.Find(id) is { State: not WorkloadState.Removed })
                _spent[id] = departure.NextEpoch;
            else
                Withdraw(departure, why);
            Fail(departure, why, now);
        }
    }

    /// <summary>A deployment that the user is told has failed must not come to life later.</summary>
    private void Withdraw(Departure departure, string why)
    {
        var withdrawn = Tombstone(departure.RecordFor(_self), why);
        Publish(withdrawn);
        SaveThen(withdrawn, (fault, _) => TellIfUnsaved(withdrawn.Id, fault));
    }

    private void PeerIsGone(Departure departure, Instant now)
    {
        var why = $"{departure.Peer.Name} is gone";
        switch (departure.Phase)
        {
            case DeparturePhase.Transferring:
                Cancel(departure.Step);
                departure.Step = Guid.Empty;
                departure.Refused(departure.Peer, why);
                AskAround(departure, now);
                break;
            case DeparturePhase.Activating:
                ActivationEnded(departure, why, isCertain: false, now);
                break;
            case DeparturePhase.TransferringVolumes:
                Cancel(departure.Step); // its fault brings the workload back
                break;
            // Quiescing ends by itself, and the volumes cannot be sent.
        }
    }

    /// <summary>Starts the copy here again: at its own epoch when the peer cannot have started, at a higher one when it might.</summary>
    private void TakeBack(Departure departure, long epoch, string why, Instant now)
    {
        departure.Phase = DeparturePhase.TakingBack;
        _register.Running.Remove(departure.Record.Id); // it may have stopped already: only a start makes it sure
        departure.Deadline = Instant.Never;
        departure.NextActivate = Instant.Never;
        departure.Refusals.Add(why);
        if (departure.WasHeldHere)
        {
            HoldOn(departure, epoch, why, now);
            return;
        }
        Tell("taken-back", departure.Record.Id, why);
        var back = departure.Record with
        {
            Epoch = epoch,
            Revision = epoch == departure.Record.Epoch ? departure.Record.Revision + 1 : 0,
            State = WorkloadState.Running, HandedTo = null, Why = $"taken back: {why}",
        };
        departure.Record = back;
        Publish(back);
        SaveThen(back, (fault, _) => TellIfUnsaved(back.Id, fault));
        departure.Step = Begin(WorkKind.Start, back);
    }

    /// <summary>What was held here still is.</summary>
    private void HoldOn(Departure departure, long epoch, string why, Instant now)
    {
        if (!departure.IsHeldHere || epoch != departure.Record.Epoch)
        {
            var held = departure.Record with
            {
                Epoch = epoch,
                Revision = epoch == departure.Record.Epoch ? departure.Record.Revision + 1 : 0,
                State = WorkloadState.Held, HandedTo = null, Why = $"still held: {why}",
            };
            departure.Record = held;
            Publish(held);
            SaveThen(held, (fault, _) => TellIfUnsaved(held.Id, fault));
        }
        Fail(departure, why, now);
    }

    private void TakenBack(Departure departure, string fault, Instant now)
    {
        if (fault.Length > 0)
            Tell("start-failed", departure.Record.Id, fault);
        Fail(departure, departure.Refusals[^1], now);
        if (fault.Length == 0)
            Runs(departure.Record.Id, now);
    }

    private void Fail(Departure departure, string why, Instant now)
    {
        _departures.Remove(departure.Record.Id);
        _retryAt[departure.Record.Id] = now + _timing.RetryDelay;
        _strandedSince.Remove(departure.Record.Id); // nobody takes it: the next attempt is here again
        Tell("not-moved", departure.Record.Id, why);
        End(departure.Operation, departure.Record, null, why);
    }

    /// <summary>Overtaken by a better record or by its deadline: work for it ends, what was prepared at the peer is released, the user told.</summary>
    private void Abandon(Departure departure, string why, Instant now)
    {
        if (departure.Phase == DeparturePhase.Selecting)
            foreach (var (peer, lease) in departure.Asked)
                Send(peer, new Cancel(lease));
        else if (departure.Phase <= DeparturePhase.SavingHandover)
            Send(departure.Peer, new Cancel(departure.Lease));
        Cancel(departure.Step);
        Fail(departure, why, now);
    }

    private bool IsCurrent(Departure departure) =>
        _departures.TryGetValue(departure.Record.Id, out var current) && ReferenceEquals(current, departure);

    private void TellMoved(WorkloadId id, MoveFigures figures) => Tell(
        "moved", id, figures.Why,
        new Dictionary<string, double>
        {
            ["selectionMs"] = figures.SelectionMilliseconds, ["bytesSent"] = figures.BytesSent, ["freezeMs"] = figures.FreezeMilliseconds,
            ["totalMs"] = figures.TotalMilliseconds, ["epoch"] = figures.Epoch,
        },
        new Dictionary<string, string> { ["from"] = figures.From.Name, ["to"] = figures.To.Name });
}
