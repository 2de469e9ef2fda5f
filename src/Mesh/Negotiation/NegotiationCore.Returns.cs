using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>A departure that comes to nothing: what it left behind, and how the workload comes back.</summary>
public sealed partial class NegotiationCore
{
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
        Decided(departure, null, why, now);
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
}
