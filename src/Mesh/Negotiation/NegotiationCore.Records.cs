using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Negotiation;

public sealed partial class NegotiationCore
{
    /// <summary>Far above what any site reaches, far below where adding to it would overflow.</summary>
    private const long EpochMax = long.MaxValue / 2;

    /// <summary>A restarted node and one that came compare records with about so many others, however large the site.</summary>
    private const double Greeters = 4;

    private Instant _nextSync;
    private Instant _nextComparison;
    private long _comparedVersion = -1;

    /// <summary>Takes over what others know better, and tells them what they do not know.</summary>
    private void HandleRecords(Records records, NodeId from, Instant now)
    {
        if (_members.TryGetValue(from, out var member) && member.Status == MemberStatus.Alive)
            _caughtUpAt = Instant.Min(_caughtUpAt, now);
        foreach (var record in records.Known.Take(Records.CountMax))
            if (IsSound(record))
                Merge(record, from, now);
            else
                Events.Enqueue(new NodeEvent("peer-fault", from.Value, "sent a workload record that cannot be"));
        if (records.WantsReply)
            SendRecords(from, wantsReply: false);
    }

    /// <summary>A member answers for other records than this node has. Whatever news was lost on its way, by this it arrives: from node to node, within
    /// a few probes. A comparison that taught this node nothing is not repeated soon: the other may have no room, or learns by itself.</summary>
    public void RecordsDiffer(NodeId member, Instant now)
    {
        if (now < _nextComparison)
            return;
        _nextComparison = now + (_comparedVersion == _register.Version ? _timing.SyncInterval : _timing.CompareInterval);
        _comparedVersion = _register.Version;
        SendRecords(member, wantsReply: true);
    }

    /// <summary>Who came may not know what this node does, and the other way round. In a large site not everybody tells everybody: those few that
    /// do are enough, and <see cref="RecordsDiffer"/> finds what they miss.</summary>
    private void Greet(IReadOnlyList<MemberView> members, Dictionary<NodeId, MemberView> before)
    {
        if (_register.All.Count == 0)
            return; // whoever knows of a workload will tell
        var alive = 0;
        foreach (var member in members)
            if (member.Status == MemberStatus.Alive)
                alive++;
        foreach (var member in members)
            if (member.Status == MemberStatus.Alive && !(before.TryGetValue(member.Id, out var old) && old.Status == MemberStatus.Alive)
                && (alive <= Greeters || _random.NextDouble() * alive < Greeters))
                SendRecords(member.Id, wantsReply: true);
    }

    private static bool IsSound(WorkloadRecord record) =>
        record is { Spec: not null, Epoch: > 0 and < EpochMax, Revision: >= 0, Why: not null }
        && record.Owner.Value.Length > 0 && record.Origin.Value.Length > 0
        && Enum.IsDefined(record.State) && record.Spec.Faults().Count == 0;

    private void Merge(WorkloadRecord record, NodeId from, Instant now)
    {
        var known = _register.Find(record.Id);
        if (known == record || !_register.HasRoomFor(record))
            return;
        if (!record.Supersedes(known))
        {
            if (known!.Supersedes(record) && record.Owner == from)
                Send(from, new Records([known], WantsReply: false));
            return;
        }
        Adopt(record, now);
    }

    /// <summary>Makes a better record ours; a copy that runs here against it is fenced.</summary>
    private void Adopt(WorkloadRecord record, Instant now)
    {
        if (_departures.TryGetValue(record.Id, out var awaited) && awaited.Phase == DeparturePhase.Activating
            && awaited.Peer == record.Owner && awaited.NextEpoch == record.Epoch && record.State != WorkloadState.Removed)
        {
            HandleActivated(new Activated(awaited.Lease, record), record.Owner, now); // the news overtook the answer
            return;
        }
        var known = _register.Find(record.Id);
        Keep(record);
        if (IsKnownGone(record.Owner))
            _retryAt[record.Id] = now + _timing.RescueConfirmation; // whoever had it from the owner knows it to live
        SaveThen(record, (fault, _) => TellIfUnsaved(record.Id, fault));
        var superseded = $"superseded: now with {record.Owner.Name} at epoch {record.Epoch}";
        if (_departures.Remove(record.Id, out var departure))
            Abandon(departure, superseded, now);
        if (record.Owner == _self && record.State != WorkloadState.Removed)
        {
            if (known?.Epoch != record.Epoch || known.Owner != _self)
            {
                // It was ours at this epoch before a restart forgot it: what runs at another one is replaced by Steward.
                AbandonStart(record.Id, superseded);
                _register.Running.Remove(record.Id);
            }
            return;
        }
        AbandonStart(record.Id, superseded);
        if (IsArriving(record))
            return;
        var ran = _register.Running.Remove(record.Id);
        // Also without a copy known to run: a container may be left from before a restart.
        var why = record.State == WorkloadState.Removed ? record.Why : $"{record.Owner.Name} owns it at epoch {record.Epoch}";
        Begin(WorkKind.Discard, record, why: why);
        if (ran)
            Tell("fenced", record.Id, why);
    }

    private bool IsArriving(WorkloadRecord record) => _arrivals.Values.Any(arrival => arrival.Spec.Id == record.Id);

    private void TellIfUnsaved(WorkloadId id, string fault)
    {
        if (fault.Length > 0)
            Tell("disk-fault", id, $"its record could not be saved: {fault}");
    }

    /// <summary>A change this node made: known here, on its way to disk, and told to all.</summary>
    private void Publish(WorkloadRecord record)
    {
        Keep(record);
        Broadcast(record);
    }

    private void Keep(WorkloadRecord record)
    {
        _register.Set(record);
        if (_register.Evict() is { } forgotten)
            SaveThen(forgotten, null, (fault, _) => TellIfUnsaved(forgotten, fault));
    }

    private void Broadcast(WorkloadRecord record)
    {
        foreach (var member in _members.Values)
            if (member.Status is MemberStatus.Alive or MemberStatus.Suspect)
                Send(member.Id, new Records([record], WantsReply: false));
    }

    private void SendRecords(NodeId to, bool wantsReply)
    {
        foreach (var part in _register.All.Chunk(Records.CountMax))
        {
            Send(to, new Records(part, wantsReply));
            wantsReply = false;
        }
        if (wantsReply || _register.All.Count == 0)
            Send(to, new Records([], wantsReply));
    }

    /// <summary>Also what no hash tells of: tombstones.</summary>
    private void SyncWithSomeone(Instant now)
    {
        _nextSync = now + _timing.TombstoneInterval;
        Prune(now);
        if (_register.All.Count == 0)
            return;
        var alive = _members.Values.Where(member => member.Status == MemberStatus.Alive).ToArray();
        if (alive.Length > 0)
            SendRecords(alive[_random.Next(alive.Length)].Id, wantsReply: true);
    }
}
