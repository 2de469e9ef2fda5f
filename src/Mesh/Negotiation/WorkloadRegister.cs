using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What this node knows of every workload of the site, and which of them it runs.</summary>
internal sealed class WorkloadRegister(NodeId self)
{
    /// <summary>Bound on what a site may hold, tombstones included: these make room, the oldest first.</summary>
    public const int CountMax = 4096;

    private readonly SortedDictionary<WorkloadId, WorkloadRecord> _records = [];

    /// <summary>When each tombstone came, in versions; after a restart in the order they were loaded.</summary>
    private readonly Dictionary<WorkloadId, long> _tombstones = [];

    /// <summary>Workloads of which this node runs a copy.</summary>
    public HashSet<WorkloadId> Running { get; } = [];

    public IReadOnlyCollection<WorkloadRecord> All => _records.Values;

    /// <summary>Raised with every change, so that the shell knows when to publish.</summary>
    public long Version { get; private set; }

    /// <summary>Of all that is known of workloads; tombstones do not count, nodes forget them at different times. Equal for equal knowledge on every
    /// machine, whatever the order in which it came.</summary>
    public uint Hash { get; private set; }

    /// <summary>Whether no workload can be added, not even in the place of a tombstone.</summary>
    public bool IsFull => _records.Count - _tombstones.Count >= CountMax;

    public WorkloadRecord? Find(WorkloadId id) => _records.GetValueOrDefault(id);

    public IEnumerable<WorkloadRecord> Owned =>
        _records.Values.Where(record => record.Owner == self && record.State != WorkloadState.Removed);

    public void Set(WorkloadRecord record)
    {
        Hash ^= HashOf(_records.GetValueOrDefault(record.Id)) ^ HashOf(record);
        _records[record.Id] = record;
        Version++;
        if (record.State != WorkloadState.Removed)
            _tombstones.Remove(record.Id);
        else
            _tombstones.TryAdd(record.Id, Version);
    }

    /// <summary>Whether a record may be added. A tombstone of what is not known here takes nobody's place: nodes that have forgotten different
    /// ones would return them to each other for ever.</summary>
    public bool HasRoomFor(WorkloadRecord record) =>
        _records.ContainsKey(record.Id) || (record.State == WorkloadState.Removed ? _records.Count < CountMax : !IsFull);

    /// <summary>Lets the oldest tombstone go when there are too many records.</summary>
    public WorkloadId? Evict()
    {
        if (_records.Count <= CountMax || _tombstones.Count == 0)
            return null;
        var oldest = _tombstones.MinBy(pair => pair.Value).Key;
        _tombstones.Remove(oldest);
        _records.Remove(oldest);
        Version++;
        return oldest;
    }

    /// <summary>What is said in words does not count.</summary>
    private static uint HashOf(WorkloadRecord? record)
    {
        if (record is null or { State: WorkloadState.Removed })
            return 0;
        var hash = new StableHash();
        hash.Add(record.Id.Value);
        hash.Add(record.Owner.Value);
        hash.Add((ulong)record.Epoch);
        hash.Add((ulong)record.Revision);
        return hash.Value;
    }
}
