namespace EdgeFirmware.Mesh.Membership;

/// <summary>Members whose news is still to be spread, the least often sent first. It holds names, not news: what is sent is always the latest
/// that is known.</summary>
internal sealed class UpdateQueue
{
    /// <summary>Nothing is sent more often, however many members there are.</summary>
    private const int SendsMax = 64;

    /// <summary>News looked at that does not fit any more, before a datagram is left as it is.</summary>
    private const int MisfitsMax = 4;

    /// <summary>By how often they have been sent.</summary>
    private readonly Queue<NewsEntry>[] _waiting = new Queue<NewsEntry>[SendsMax];
    private int _count;

    public UpdateQueue()
    {
        for (var i = 0; i < SendsMax; i++)
            _waiting[i] = new Queue<NewsEntry>();
    }

    public bool IsEmpty => _count == 0;

    /// <summary>New, or newer than what was being sent.</summary>
    public NewsEntry Add(Member member, NewsKind kind, NewsEntry? before)
    {
        if (before is { IsOver: false })
            Drop(before);
        var entry = new NewsEntry(member, kind);
        _waiting[0].Enqueue(entry);
        _count++;
        return entry;
    }

    public void Drop(NewsEntry entry)
    {
        if (entry.IsOver)
            return;
        entry.IsOver = true;
        entry.TakenFor = null;
        if (--_count == 0)
            Clear(); // what is over goes with it
    }

    /// <summary>Takes what fits; each counts as sent once.</summary>
    /// <param name="bytesMax">Room for news.</param>
    /// <param name="sends">How often news of a kind is sent before it is dropped.</param>
    public void Take(List<MemberNews> into, int countMax, int bytesMax, Func<NewsEntry, MemberNews> make, Func<NewsKind, int> sends)
    {
        var misfits = 0;
        for (var sent = 0; sent < SendsMax && _count > 0; sent++)
            for (var left = _waiting[sent].Count; left > 0; left--)
            {
                if (into.Count >= countMax || misfits > MisfitsMax)
                    return;
                var entry = _waiting[sent].Dequeue();
                if (entry.IsOver)
                    continue;
                if (entry.TakenFor == into || make(entry) is not { } news || news.WireBytes > bytesMax)
                {
                    misfits += entry.TakenFor == into ? 0 : 1;
                    _waiting[sent].Enqueue(entry);
                    continue;
                }
                bytesMax -= news.WireBytes;
                into.Add(news);
                entry.TakenFor = into;
                if (sent + 1 >= Math.Min(SendsMax, sends(entry.Kind)))
                    Drop(entry);
                else
                    _waiting[sent + 1].Enqueue(entry);
            }
    }

    private void Clear()
    {
        foreach (var queue in _waiting)
            queue.Clear();
    }
}

internal enum NewsKind
{
    Status,
    Offer,
}

/// <summary>That there is news.</summary>
internal sealed class NewsEntry(Member member, NewsKind kind)
{
    public Member Member { get; } = member;

    public NewsKind Kind { get; } = kind;

    public bool IsOver { get; set; }

    /// <summary>The datagram it was last taken for: no datagram carries it twice.</summary>
    public object? TakenFor { get; set; }
}
