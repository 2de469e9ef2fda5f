using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>A workload leaves: transfer, quiesce, hand over, activate.</summary>
public sealed partial class NegotiationCore
{
    private readonly Dictionary<WorkloadId, Departure> _departures = [];

    /// <param name="mustLeave">It cannot stay: a peer that cannot run it either may hold it.</param>
    private void Depart(
        WorkloadRecord record, long epoch, string why, Guid operation, NodeId? to, Instant now, Deliberation deliberation, bool mustLeave = false)
    {
        var departure = new Departure(record, epoch, _register.Running.Contains(record.Id), why, operation, _timing, now)
        {
            Only = to, MustLeave = mustLeave, Deliberation = deliberation,
        };
        _departures.Add(record.Id, departure);
        AskAround(departure, now);
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
                Send(departure.Peer, new Activate(departure.Lease, departure.RecordFor(departure.Peer)) { Decision = DecisionOf(departure, now) });
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
        Decided(departure, from, departure.Why, now);
        var figures = departure.Figures(departure.Record.Owner, from, record.Epoch, now);
        if (record.Supersedes(_register.Find(record.Id)))
            Publish(record);
        SaveThen(record, (fault, _) => TellIfUnsaved(record.Id, fault));
        Begin(WorkKind.Discard, record, why: $"moved to {from.Name}");
        TellMoved(record.Id, figures);
        Evacuated(record.Id);
        End(departure.Operation, record, figures, "");
    }

    private void HandleActivationFailed(ActivationFailed failed, NodeId from, Instant now)
    {
        if (_departures.TryGetValue(failed.Workload, out var departure) && departure.Peer == from
            && departure.Phase == DeparturePhase.Activating && failed.Epoch == departure.NextEpoch)
            ActivationEnded(departure, $"{from.Name}: {failed.Why}", isCertain: true, now);
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
