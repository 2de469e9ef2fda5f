using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Which node runs which workload, and how that changes by agreement of two nodes: ask, grant (lease) or refuse, transfer,
/// activate, release, with a fencing epoch for each workload. No clock, socket, disk or lock: the shell hands in what happened and the
/// instant, does what is in <see cref="Outbox"/>, and calls <see cref="Advance"/> at <see cref="NextWakeup"/>.</summary>
/// <remarks>Split by role: what users ask (<c>.Operations</c>, and <c>.Requests</c> of another node), leaving (<c>.Departures</c>), arriving
/// (<c>.Arrivals</c>), what is known (<c>.Records</c>), what nobody asked for but must happen (<c>.Stewardship</c>, <c>.Balance</c>,
/// <c>.Evacuation</c>) and what makes one place better than another (<c>.Placement</c>).</remarks>
public sealed partial class NegotiationCore
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(500);

    private readonly NodeId _self;
    private readonly NegotiationTiming _timing;
    private readonly Random _random;
    private readonly WorkloadRegister _register;
    private readonly Losses _losses;
    private readonly Dictionary<Guid, SavedContinuation> _saves = [];
    private Dictionary<NodeId, MemberView> _members = [];
    private Offer? _ownOffer;
    private readonly PeerFaults _peerFaults = new();
    private Instant _nextHeartbeat;
    private readonly Instant _began;

    private delegate void SavedContinuation(string fault, Instant now);

    /// <param name="draining">It was being drained when it ended.</param>
    public NegotiationCore(NodeId self, IEnumerable<WorkloadRecord> known, bool hasMesh, NegotiationTiming timing, Random random, Instant now,
        bool draining = false)
    {
        _self = self;
        _timing = timing;
        _random = random;
        _lane = random.Next(Lanes);
        _register = new WorkloadRegister(self);
        foreach (var record in known)
            _register.Set(record);
        _losses = new Losses(timing, now);
        _caughtUpAt = hasMesh && _register.All.Count > 0 ? now + timing.CatchUp : now;
        _nextSync = now + (timing.TombstoneInterval * random.NextDouble());
        _nextHeartbeat = now;
        _began = now;
        _draining = draining;
        _foresight = new Foresight(timing.Placement);
        _nextBalance = now + BalancePause();
    }

    public Queue<NegotiationAction> Outbox { get; } = new();

    public Queue<NodeEvent> Events { get; } = new();

    public IReadOnlyCollection<WorkloadRecord> KnownRecords => _register.All;

    public IReadOnlySet<WorkloadId> Running => _register.Running;

    /// <summary>Nodes that know the same of workloads have the same.</summary>
    public uint RecordsHash => _register.Hash;

    /// <summary>Raised with every change of <see cref="KnownRecords"/>.</summary>
    public long RecordsVersion => _register.Version;

    public Instant NextWakeup
    {
        get
        {
            var next = _nextHeartbeat;
            foreach (var departure in _departures.Values)
                next = Instant.Min(next, Instant.Min(departure.Deadline, departure.NextActivate));
            return next;
        }
    }

    /// <summary>What others can take on, and who is alive.</summary>
    public void MembersAre(IReadOnlyList<MemberView> members, Instant now)
    {
        var before = _members;
        _members = members.ToDictionary(member => member.Id);
        Greet(members, before);
        _losses.MembersAre(members, now);
        foreach (var departure in _departures.Values.ToList())
            if (departure.Phase >= DeparturePhase.Transferring && IsKnownGone(departure.Peer))
                PeerIsGone(departure, now);
        StopNeedlessRescues(now);
    }

    public Offer? OwnOffer => _ownOffer;

    /// <summary>What this node can take on; that it is being drained, it adds itself.</summary>
    public void OwnOfferIs(Offer offer) => _ownOffer = offer.Draining == _draining ? offer : offer with { Draining = _draining };

    /// <summary>Messages dropped because they cannot be true.</summary>
    public long Dropped { get; private set; }

    public void Handle(PeerMessage message, NodeId from, Instant now)
    {
        if (PeerMessageCheck.Fault(message) is { Length: > 0 } fault)
        {
            Unreadable(from, $"sent what cannot be: {fault}", now);
            return;
        }
        switch (message)
        {
            case Ask ask:
                HandleAsk(ask, from, now);
                break;
            case Grant grant:
                HandleGrant(grant, from, now);
                break;
            case Refuse refuse:
                HandleRefuse(refuse, from, now);
                break;
            case Referral referral:
                HandleReferral(referral, from, now);
                break;
            case CounterOffer counter:
                HandleCounterOffer(counter, from, now);
                break;
            case Cancel cancel:
                HandleCancel(cancel, from);
                break;
            case Activate activate:
                HandleActivate(activate, from, now);
                break;
            case Activated activated:
                HandleActivated(activated, from, now);
                break;
            case ActivationFailed failed:
                HandleActivationFailed(failed, from, now);
                break;
            case Request request:
                HandleRequest(request, from, now);
                break;
            case Reply reply:
                HandleReply(reply, from, now);
                break;
            case Records records:
                HandleRecords(records, from, now);
                break;
        }
    }

    /// <summary>A member sent what is no message.</summary>
    public void Unreadable(NodeId from, string why, Instant now)
    {
        Dropped++;
        if (_peerFaults.ShouldTell(from, now))
            Events.Enqueue(new NodeEvent("peer-fault", from.Value, why));
    }

    /// <summary>A <see cref="Save"/> has ended.</summary>
    /// <param name="fault">Empty when the record is on disk.</param>
    public void Saved(Guid step, string fault, Instant now)
    {
        if (_saves.Remove(step, out var continuation))
            continuation(fault, now);
    }

    /// <summary>A <see cref="Work"/> has ended.</summary>
    /// <param name="fault">Empty when it was done.</param>
    public void Worked(Guid step, long bytes, string fault, Instant now)
    {
        if (step == Guid.Empty)
            return;
        if (_departures.Values.FirstOrDefault(departure => departure.Step == step) is { } departure)
            DepartureWorked(departure, bytes, fault, now);
        else if (_arrivals.Values.FirstOrDefault(arrival => arrival.Step == step) is { } arrival)
            ArrivalStarted(arrival, fault, now);
        else if (_starts.Values.FirstOrDefault(start => start.Step == step) is { } start)
            LocalStarted(start, fault, now);
    }

    public void Advance(Instant now)
    {
        foreach (var departure in _departures.Values.ToList())
            AdvanceDeparture(departure, now);
        if (now < _nextHeartbeat)
            return;
        _nextHeartbeat = now + Heartbeat;
        ExpireArrivals(now);
        ExpireReferrals(now);
        AdvanceRequests(now);
        Steward(now);
        Evacuate(now);
        Balance(now);
        KeepReady(now);
        if (_nextSync <= now)
            SyncWithSomeone(now);
    }

    private Guid NewStep()
    {
        Span<byte> bytes = stackalloc byte[16];
        _random.NextBytes(bytes);
        return new Guid(bytes);
    }

    private void SaveThen(WorkloadRecord record, SavedContinuation then) => SaveThen(record.Id, record, then);

    private void SaveThen(WorkloadId id, WorkloadRecord? record, SavedContinuation then)
    {
        var step = NewStep();
        _saves.Add(step, then);
        Outbox.Enqueue(new Save(step, id, record));
    }

    private Guid Begin(WorkKind kind, WorkloadRecord record, NodeId peer = default, Guid lease = default, string why = "")
    {
        var step = NewStep();
        if (kind == WorkKind.Start)
            _endedEarly.Remove(record.Id);
        Outbox.Enqueue(new Work(step, kind, record, peer, lease, why));
        return step;
    }

    private void Cancel(Guid step)
    {
        if (step != Guid.Empty)
            Outbox.Enqueue(new CancelWork(step));
    }

    private void Send(NodeId peer, PeerMessage message) => Outbox.Enqueue(new SendTo(peer, message));

    private void Tell(string kind, WorkloadId workload, string why, IReadOnlyDictionary<string, double>? figures = null,
        IReadOnlyDictionary<string, string>? details = null) =>
        Events.Enqueue(new NodeEvent(kind, workload.Value, why, figures, details));

    private bool IsGone(NodeId node) =>
        node != _self && (!_members.TryGetValue(node, out var member) || member.Status is MemberStatus.Dead or MemberStatus.Left);

    /// <summary>Unlike <see cref="IsGone"/>, not true of a node that this one, since its start, has not met yet.</summary>
    private bool IsKnownGone(NodeId node) =>
        _members.TryGetValue(node, out var member) && member.Status is MemberStatus.Dead or MemberStatus.Left;

    private bool IsBusy(WorkloadId id) =>
        _departures.ContainsKey(id) || _starts.ContainsKey(id) || _removing.Contains(id)
        || _arrivals.Values.Any(arrival => arrival.Spec.Id == id);

    private bool IsOwned(WorkloadId id) =>
        _register.Find(id) is { State: not WorkloadState.Removed } record && record.Owner == _self;
}
