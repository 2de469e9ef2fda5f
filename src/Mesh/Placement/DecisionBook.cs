using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>The last decision about each workload, as far as this node knows it. In memory: after a restart it starts empty.</summary>
internal sealed class DecisionBook
{
    /// <summary>More workloads than a node runs; the oldest makes room.</summary>
    private const int CountMax = 256;

    private readonly Dictionary<WorkloadId, Entry> _entries = [];

    private sealed record Entry(Decision Decision, Instant At);

    public void Set(WorkloadId id, Decision decision, Instant now)
    {
        _entries[id] = new Entry(decision, now - TimeSpan.FromSeconds(decision.SecondsAgo));
        if (_entries.Count <= CountMax)
            return;
        var (oldest, at) = (id, Instant.Never);
        foreach (var (other, entry) in _entries)
            if (entry.At < at)
                (oldest, at) = (other, entry.At);
        _entries.Remove(oldest);
    }

    public Decision? Find(WorkloadId id, Instant now) =>
        _entries.TryGetValue(id, out var entry) ? entry.Decision with { SecondsAgo = Math.Max(0, (now - entry.At).TotalSeconds) } : null;
}
