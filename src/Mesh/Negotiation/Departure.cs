using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

internal enum DeparturePhase
{
    /// <summary>Asks are out.</summary>
    Selecting,

    /// <summary>Image and configuration are on their way; the local copy, if any, runs.</summary>
    Transferring,

    /// <summary>The local copy finishes what it has in hand and stops.</summary>
    Quiescing,

    TransferringVolumes,

    /// <summary>"Handed over" goes to disk: from here on only the answer of the peer, or a higher epoch, brings the workload back.</summary>
    SavingHandover,

    Activating,

    /// <summary>Nobody runs it; it comes back here.</summary>
    TakingBack,
}

/// <summary>One workload on its way from this node to another: ask, grant, transfer, activate, release. A move takes a copy that runs here;
/// a placement or rescue takes none. It knows what to do next; <see cref="NegotiationCore"/> does it.</summary>
internal sealed class Departure
{
    private readonly NegotiationTiming _timing;
    private readonly Dictionary<NodeId, Guid> _asked = [];
    private readonly Dictionary<NodeId, Candidate> _granted = [];
    private readonly Dictionary<NodeId, Candidate> _countered = [];

    public Departure(WorkloadRecord record, long nextEpoch, bool hasCopy, string why, Guid operation, NegotiationTiming timing, Instant now)
    {
        _timing = timing;
        Record = record;
        NextEpoch = nextEpoch;
        HasCopy = hasCopy;
        Why = why;
        Operation = operation;
        Began = now;
        WasHeldHere = record.State == WorkloadState.Held;
    }

    /// <summary>The record as it is before the move.</summary>
    public WorkloadRecord Record { get; set; }

    /// <summary>The epoch the next owner gets.</summary>
    public long NextEpoch { get; private set; }

    /// <summary>A copy runs here that must stop first.</summary>
    public bool HasCopy { get; }

    public string Why { get; }

    /// <summary>What is found of each candidate.</summary>
    public Deliberation Deliberation { get; init; } = new(Trigger.Asked, moves: 0);

    /// <summary>How often the peer was told why it was chosen.</summary>
    public int DecisionsSent { get; set; }

    /// <summary>The user's request, or empty.</summary>
    public Guid Operation { get; }

    /// <summary>The only peer that will do.</summary>
    public NodeId? Only { get; init; }

    /// <summary>It cannot stay here: when nobody can run it, somebody may hold it.</summary>
    public bool MustLeave { get; init; }

    /// <summary>Nobody can run it: holders are asked, too.</summary>
    public bool IsForHolders { get; private set; }

    /// <summary>The chosen peer will hold it.</summary>
    public bool IsToHold { get; private set; }

    /// <summary>This node held it when this began, and goes on doing so when nobody takes it.</summary>
    public bool WasHeldHere { get; }

    /// <summary>Nothing of the hand-over has been saved yet.</summary>
    public bool IsHeldHere => Record.State == WorkloadState.Held;

    public Instant Began { get; }

    public DeparturePhase Phase { get; set; }

    public NodeId Peer { get; private set; }

    public Guid Lease { get; private set; }

    /// <summary>The host's work in progress; a completion with another step is stale.</summary>
    public Guid Step { get; set; }

    public long BytesSent { get; set; }

    public Instant? Chosen { get; private set; }

    public Instant? Frozen { get; set; }

    public Instant NextActivate { get; set; } = Instant.Never;

    /// <summary>How often peers were asked.</summary>
    public int Rounds { get; private set; }

    /// <summary>Why each peer was not chosen, for the operator.</summary>
    public List<string> Refusals { get; } = [];

    /// <summary>Peers not to ask again in this departure.</summary>
    public HashSet<NodeId> Excluded { get; } = [];

    /// <summary>Peers that seemed too busy have been asked all the same.</summary>
    public bool HasAskedInDoubt { get; set; }

    public bool Considers(NodeId peer) => (Only is not { } only || only == peer) && !Excluded.Contains(peer);

    /// <summary>Who could not run it may be able to hold it.</summary>
    public void TurnToHolders()
    {
        IsForHolders = true;
        Excluded.Clear();
    }

    public Instant Deadline { get; set; }

    public IReadOnlyDictionary<NodeId, Guid> Asked => _asked;

    public void BeginAsking(IEnumerable<(NodeId Peer, Guid Lease)> asks, Instant now)
    {
        Phase = DeparturePhase.Selecting;
        Rounds++;
        _asked.Clear();
        _granted.Clear();
        _countered.Clear();
        foreach (var (peer, lease) in asks)
            _asked[peer] = lease;
        Deadline = now + _timing.AskTimeout;
    }

    public bool Expects(NodeId peer, Guid lease) => _asked.TryGetValue(peer, out var expected) && expected == lease;

    public void Granted(Candidate candidate, Instant now)
    {
        _granted[candidate.Node] = candidate;
        Deadline = Instant.Min(Deadline, now + _timing.GrantPatience);
    }

    /// <summary>Somebody who could have taken it did not answer.</summary>
    public bool HasMetSilence { get; set; }

    /// <summary>Others have been asked to ask their neighbours.</summary>
    public bool HasAskedOthers { get; set; }

    /// <summary>Who was asked names another that grants.</summary>
    public void Referred(NodeId by, Candidate candidate, Guid lease, Instant now)
    {
        _asked.Remove(by);
        _asked[candidate.Node] = lease;
        Granted(candidate, now);
    }

    public void CounterOffered(Candidate candidate) => _countered[candidate.Node] = candidate;

    public void Refused(NodeId peer, string why)
    {
        _asked.Remove(peer);
        _granted.Remove(peer);
        _countered.Remove(peer);
        Excluded.Add(peer);
        Deliberation.Refused(peer, why);
        Refusals.Add($"{peer.Name}: {why}");
    }

    /// <summary>Whether enough is known to choose, or to give up.</summary>
    public bool IsSelectionOver(Instant now) => _granted.Count + _countered.Count == _asked.Count || Deadline <= now; // only who was asked has answered

    /// <summary>Takes the best grant; without one, the best counter-offer.</summary>
    /// <returns>Leases that are not needed; <c>null</c> when nobody granted or made one.</returns>
    public IReadOnlyList<(NodeId Peer, Guid Lease)>? Choose(Instant now)
    {
        var best = PlacementPolicy.Rank(_granted.Values);
        IsToHold = best.Count == 0;
        if (IsToHold)
            best = PlacementPolicy.Rank(_countered.Values);
        if (best.Count == 0)
            return null;
        Peer = best[0].Node;
        Lease = _asked[Peer];
        Chosen ??= now;
        var spare = new List<(NodeId Peer, Guid Lease)>(_asked.Count);
        foreach (var (peer, lease) in _asked)
            if (peer != Peer)
                spare.Add((peer, lease));
        return spare;
    }

    /// <summary>The peer has failed to start it: what it started may take a moment to end, and the next one must not run beside it at one epoch.</summary>
    public void StartFailed(string why)
    {
        Refused(Peer, why);
        DecisionsSent = 0;
        NextEpoch++;
    }

    /// <summary>After a restart: the peer it was being handed to, whose lease was not kept.</summary>
    public void Resume(NodeId peer)
    {
        Peer = peer;
        Phase = DeparturePhase.Activating;
    }

    public WorkloadRecord RecordFor(NodeId owner) => Record with
    {
        Epoch = NextEpoch, Revision = 0, Owner = owner, State = IsToHold ? WorkloadState.Held : WorkloadState.Running, HandedTo = null, Why = Why,
    };

    public MoveFigures Figures(NodeId from, NodeId to, long epoch, Instant now) => new(
        from, to, epoch, Why, ((Chosen ?? now) - Began).TotalMilliseconds, BytesSent,
        Frozen is { } frozen ? (now - frozen).TotalMilliseconds : 0, (now - Began).TotalMilliseconds);
}
