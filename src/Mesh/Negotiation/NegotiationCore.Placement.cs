using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What the policy is asked, with what this node knows; and what came of it.</summary>
public sealed partial class NegotiationCore
{
    /// <summary>Of the workloads that could leave, so many are looked at: the heaviest ones.</summary>
    private const int LooksMax = 16;

    private const int DecisionsSentMax = 3;

    private readonly DecisionBook _decisions = new();
    private readonly Dictionary<WorkloadId, Tenure> _tenures = [];
    private Dictionary<WorkloadId, List<InputSource>> _sources = [];

    private PlacementRules Rules => _timing.Placement;

    /// <summary>Where the inputs of workloads are heard; replaces what was said before.</summary>
    public void SourcesAre(IReadOnlyList<InputSource> sources)
    {
        var byWorkload = new Dictionary<WorkloadId, List<InputSource>>();
        foreach (var source in sources)
        {
            if (!byWorkload.TryGetValue(source.Workload, out var of))
                byWorkload[source.Workload] = of = [];
            of.Add(source);
        }
        _sources = byWorkload;
    }

    /// <summary>Why a workload is where it is; asked of the node that has it.</summary>
    public void Explain(Guid operation, WorkloadId id, Instant now)
    {
        var record = _register.Find(id);
        if (record is null || record.State == WorkloadState.Removed)
            End(operation, record, null, $"there is no workload {id}");
        else if (record.Owner == _self)
            End(operation, record, null, "", new Explanation(_decisions.Find(id, now), Look(record, now)));
        else if (IsGone(record.Owner))
            End(operation, record, null, "", new Explanation(_decisions.Find(id, now), null));
        else
            Forward(new Request(operation, RequestVerb.Explain, id, null, ""), record.Owner, now);
    }

    /// <summary>Begins to look for a place.</summary>
    private Deliberation Deliberate(WorkloadRecord record, Trigger trigger, Instant now)
    {
        var runsHere = _register.Running.Contains(record.Id);
        var tenure = TenureOf(record.Id);
        var own = trigger is Trigger.Overload && _ownOffer is { } offer ? offer with { Overloaded = true } : _ownOffer;
        var here = runsHere ? PlacementPolicy.JudgeStaying(CaseOf(record.Spec), _self, own, LatencyStaying(record.Id)) : null;
        var moves = trigger is Trigger.Deployed or Trigger.Asked or Trigger.Rescue ? 0
            : tenure.RecentMoves(Rules.BalanceResidence, now) + (trigger is Trigger.Drain ? 0 : 1);
        return new Deliberation(trigger, moves)
        {
            Here = here,
            CostMax = here is not null && trigger is Trigger.Overload or Trigger.Balance or Trigger.Failure ? here!.Cost * Rules.CostShareMax : double.PositiveInfinity,
            Burden = new MoveBurden(
                MoveBurden.BytesAssumed, runsHere ? MoveBurden.FreezeAssumed : TimeSpan.Zero,
                Clamp(runsHere ? tenure.Stayed(now) : MoveBurden.ResidenceMax, MoveBurden.ResidenceMin, MoveBurden.ResidenceMax)),
            Holders = HoldersOf(record.Spec.Image),
            FallsBackHere = trigger is Trigger.Deployed,
        };
    }

    private static TimeSpan Clamp(TimeSpan span, TimeSpan min, TimeSpan max) => span < min ? min : span > max ? max : span;

    /// <summary>A peer as a place for what is looked after.</summary>
    private Candidate JudgePeer(WorkloadSpec spec, Deliberation deliberation, NodeId peer, Offer? offer)
    {
        var candidate = PlacementPolicy.Judge(CaseOf(spec), peer, offer, LatencyTo(spec.Id, peer), deliberation.BurdenTo(peer));
        candidate = deliberation.Bounded(candidate);
        deliberation.Judged(candidate);
        return candidate;
    }

    /// <summary>This node as a place for what does not run here.</summary>
    private Candidate JudgeHere(WorkloadSpec spec) =>
        PlacementPolicy.Judge(CaseOf(spec), _self, _ownOffer, LatencyTo(spec.Id, _self), move: null);

    /// <summary>The best peer; <c>null</c> when none is fit, or none clearly better than staying.</summary>
    private Candidate? BestPeer(WorkloadSpec spec, Deliberation deliberation)
    {
        Candidate? best = null;
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Alive && JudgePeer(spec, deliberation, member.Id, member.Offer) is { IsFit: true } fit
                && (best is null || fit.Cost < best.Cost || fit.Cost == best.Cost && fit.Node.CompareTo(best.Node) < 0))
                best = fit;
        return best;
    }

    private PlacementCase CaseOf(WorkloadSpec spec) => new(spec, ImageArchitecture)
    {
        PageBytes = _register.Running.Contains(spec.Id) ? _ownOffer?.PageBytes ?? 0 : 0,
    };

    private double RoundTripTo(NodeId node) =>
        node == _self ? 0 : _members.TryGetValue(node, out var member) && member.RoundTrip is { } trip ? trip.TotalMilliseconds : Latency.UnknownRoundTripMilliseconds;

    private Latency LatencyTo(WorkloadId id, NodeId node) => Latency.From(LiveSources(id), node, RoundTripTo, RoundTripTo(node));

    /// <summary>When it is not known where its data comes from, staying is no nearer to it than the nearest peer.</summary>
    private Latency LatencyStaying(WorkloadId id)
    {
        var nearest = double.PositiveInfinity;
        foreach (var member in _members.Values)
            if (member.Status == MemberStatus.Alive && member.Offer is not null)
                nearest = Math.Min(nearest, RoundTripTo(member.Id));
        return Latency.From(LiveSources(id), _self, RoundTripTo, double.IsPositiveInfinity(nearest) ? 0 : nearest);
    }

    private List<InputSource> LiveSources(WorkloadId id) =>
        !_sources.TryGetValue(id, out var known) ? [] : known.TrueForAll(source => !IsGone(source.Node)) ? known : known.FindAll(source => !IsGone(source.Node));

    /// <summary>Nodes that run something of the same image, as far as the records tell.</summary>
    private HashSet<NodeId> HoldersOf(string image)
    {
        var holders = new HashSet<NodeId>();
        foreach (var record in _register.All)
            if (record.State != WorkloadState.Removed && record.Spec.Image == image)
                holders.Add(record.Owner);
        return holders;
    }

    private Tenure TenureOf(WorkloadId id) => _tenures.TryGetValue(id, out var tenure) ? tenure : new Tenure(_began, 0, ByUser: false);

    /// <summary>It has come here. What was deployed or rescued here has no tenure: it may leave as soon as it runs.</summary>
    private void Settle(WorkloadId id, Decision? decision, Instant now)
    {
        _tenures[id] = new Tenure(now, decision?.Moves ?? 0, decision?.Trigger is Trigger.Asked);
        if (decision is not null)
            _decisions.Set(id, decision, now);
    }

    /// <summary>What runs here and has been here long enough, the heaviest first.</summary>
    private List<WorkloadRecord> Movable(TimeSpan residence, Instant now)
    {
        var movable = new List<WorkloadRecord>();
        foreach (var record in _register.Owned)
            if (_register.Running.Contains(record.Id) && !IsBusy(record.Id) && IsDue(record.Id, now)
                && (!_tenures.TryGetValue(record.Id, out var tenure) || tenure.IsSettled(residence, now)))
                movable.Add(record);
        movable.Sort(static (a, b) =>
        {
            var byCpu = b.Spec.CpuCoresNeeded.CompareTo(a.Spec.CpuCoresNeeded);
            var byMemory = byCpu != 0 ? byCpu : b.Spec.MemoryBytesNeeded.CompareTo(a.Spec.MemoryBytesNeeded);
            return byMemory != 0 ? byMemory : a.Id.CompareTo(b.Id);
        });
        return movable;
    }

    /// <summary>A search for a place has ended.</summary>
    /// <param name="to"><c>null</c>: nobody took it.</param>
    private void Decided(Departure departure, NodeId? to, string why, Instant now)
    {
        var id = departure.Record.Id;
        if (!departure.Deliberation.IsEmpty && (to is not null || IsOwned(id)))
            _decisions.Set(id, departure.Deliberation.Decide(_self, to, why, 0), now);
        if (to is null)
            EvacuationFailed(departure, why, now);
        else
            _tenures.Remove(id);
    }

    /// <summary>Not with every repetition of <see cref="Activate"/>: it is much longer than the rest, and not worth more than a few attempts.</summary>
    private Decision? DecisionOf(Departure departure, Instant now) => departure.Deliberation.IsEmpty || ++departure.DecisionsSent > DecisionsSentMax ? null
        : departure.Deliberation.Decide(_self, departure.Peer, departure.Why, Math.Max(0, (now - (departure.Chosen ?? now)).TotalSeconds));

    /// <summary>Another node would have been better for a new workload, but none has taken it.</summary>
    private bool TakesItself(Departure departure, Instant now)
    {
        if (departure.HasCopy || !departure.Deliberation.FallsBackHere || JudgeHere(departure.Record.Spec) is not { IsFit: true } here)
            return false;
        var record = departure.RecordFor(_self) with { State = WorkloadState.Running, Why = "deployed" };
        departure.Deliberation.Judged(here);
        _decisions.Set(record.Id, departure.Deliberation.Decide(_self, _self, "nobody else took it", 0), now);
        _departures.Remove(record.Id);
        StartNewHere(record, "deployed", departure.Operation);
        return true;
    }

    /// <summary>What would be decided now.</summary>
    private Decision Look(WorkloadRecord record, Instant now)
    {
        var deliberation = Deliberate(record, Trigger.Balance, now);
        var best = BestPeer(record.Spec, deliberation);
        return deliberation.Decide(_self, best?.Node, best is null ? "no node is clearly better" : $"{best.Node.Name} is clearly better", 0);
    }
}
