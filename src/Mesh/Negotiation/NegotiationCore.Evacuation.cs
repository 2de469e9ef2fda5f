using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Gives away everything, one workload after the other: because the operator drains the node, or because it foresees its own failure.
/// A drained node takes nothing on; one that fears for itself only looks bad, so that work has a place even where all nodes do.</summary>
public sealed partial class NegotiationCore
{
    private readonly Dictionary<WorkloadId, (Instant Until, string Why)> _unmoved = [];
    private readonly Foresight _foresight;
    private bool _draining;
    private int _evacuated;

    /// <summary>The operator wants it empty; also after a restart.</summary>
    public bool IsDraining => _draining;

    private bool IsEvacuating => _draining || _foresight.IsFailing;

    /// <summary>Begins or ends draining. It is answered once that is on disk.</summary>
    public void Drain(Guid operation, bool draining, Instant now)
    {
        var step = NewStep();
        _saves.Add(step, (fault, _) =>
        {
            if (fault.Length == 0 && _draining != draining)
            {
                _draining = draining;
                _evacuated = 0;
                _unmoved.Clear();
                if (_ownOffer is { } offer)
                    OwnOfferIs(offer);
                TellOfSelf(draining ? "draining" : "undrained", draining ? "it gives away what it has" : "it takes work again");
            }
            End(operation, null, null, fault);
        });
        Outbox.Enqueue(new SaveDraining(step, draining));
    }

    /// <summary>What an operator wants to know; <c>null</c> when nothing is given away.</summary>
    public Evacuation? Evacuating
    {
        get
        {
            if (!IsEvacuating)
                return null;
            var left = new List<Remaining>();
            foreach (var record in _register.Owned)
                left.Add(new Remaining(
                    record.Id, _departures.ContainsKey(record.Id), _unmoved.TryGetValue(record.Id, out var unmoved) ? unmoved.Why : ""));
            return new Evacuation(_draining, _foresight.IsFailing, _evacuated, left);
        }
    }

    private void Evacuate(Instant now)
    {
        if (_foresight.Observe(_ownOffer?.Outlook.Failure ?? 0, now))
            TellOfSelf(
                _foresight.IsFailing ? "failing" : "recovered",
                _foresight.IsFailing ? $"it foresees its failure with {_ownOffer!.Outlook.Failure * 100:0} %" : "it does not foresee its failure any more");
        if (!IsEvacuating || now < _caughtUpAt || _departures.Count > 0)
            return;
        foreach (var record in Leavable(now))
        {
            if (_unmoved.TryGetValue(record.Id, out var unmoved) && unmoved.Until > now)
                continue;
            var deliberation = Deliberate(record, _draining ? Trigger.Drain : Trigger.Failure, now);
            if (!_draining && BestPeer(record.Spec, deliberation) is null)
            {
                _unmoved[record.Id] = (now + Rules.EvacuationRetry, WhyNobody(deliberation));
                continue;
            }
            Depart(
                record, record.Epoch + 1, _draining ? $"{_self.Name} is drained" : $"{_self.Name} foresees its failure", Guid.Empty, null, now, deliberation,
                mustLeave: _draining);
            return;
        }
    }

    /// <summary>What runs here, and what is only held.</summary>
    private List<WorkloadRecord> Leavable(Instant now)
    {
        var leavable = Movable(TimeSpan.Zero, now);
        foreach (var record in _register.Owned)
            if (record.State == WorkloadState.Held && !IsBusy(record.Id) && IsDue(record.Id, now))
                leavable.Add(record);
        return leavable;
    }

    private string WhyNobody(Deliberation deliberation)
    {
        var verdicts = deliberation.Decide(_self, null, "", 0).Candidates.Where(verdict => verdict.Outcome != Outcome.Here);
        var reasons = string.Join("; ", verdicts.Select(verdict => $"{verdict.Node.Name}: {verdict.Why}"));
        return reasons.Length == 0 ? "no other member is alive" : reasons;
    }

    private void EvacuationFailed(Departure departure, string why, Instant now)
    {
        if (departure.Deliberation.Trigger is Trigger.Drain or Trigger.Failure)
            _unmoved[departure.Record.Id] = (now + Rules.EvacuationRetry, why);
    }

    private void Evacuated(WorkloadId id)
    {
        _unmoved.Remove(id);
        if (!IsEvacuating)
            return;
        _evacuated++;
        if (!_register.Owned.Any())
            TellOfSelf("evacuated", $"{_evacuated} workloads have left");
    }

    private void TellOfSelf(string kind, string why) => Events.Enqueue(new NodeEvent(kind, _self.Value, why));
}

/// <summary>How far a node is in giving away what it has.</summary>
/// <param name="Draining">The operator wants it.</param>
/// <param name="Failing">It foresees its own failure.</param>
/// <param name="Moved">Workloads that have left so far.</param>
public sealed record Evacuation(bool Draining, bool Failing, int Moved, IReadOnlyList<Remaining> Left);

/// <param name="Moving">It is on its way.</param>
/// <param name="Why">What kept it here the last time; empty before.</param>
public sealed record Remaining(WorkloadId Workload, bool Moving, string Why);
