using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Members whose news is still to be spread, the least often sent first. It holds names, not news: what is sent is always
/// the latest that is known.</summary>
internal sealed class UpdateQueue
{
    private readonly List<Entry> _entries = [];

    private sealed class Entry(NodeId member)
    {
        public NodeId Member { get; } = member;

        public int Sent { get; set; }
    }

    public bool IsEmpty => _entries.Count == 0;

    public void Add(NodeId member)
    {
        if (_entries.Find(entry => entry.Member == member) is { } known)
            known.Sent = 0;
        else
            _entries.Add(new Entry(member));
    }

    /// <summary>Up to <paramref name="count"/> members to mention now; each counts as sent once, and is dropped when it was sent
    /// <paramref name="retransmits"/> times.</summary>
    public List<NodeId> Take(int count, int retransmits)
    {
        var chosen = new List<NodeId>(count);
        if (IsEmpty)
            return chosen;
        _entries.Sort(static (a, b) => a.Sent != b.Sent ? a.Sent.CompareTo(b.Sent) : a.Member.CompareTo(b.Member));
        for (var i = 0; i < _entries.Count && i < count; i++)
        {
            chosen.Add(_entries[i].Member);
            _entries[i].Sent++;
        }
        _entries.RemoveAll(entry => entry.Sent >= retransmits);
        return chosen;
    }
}
