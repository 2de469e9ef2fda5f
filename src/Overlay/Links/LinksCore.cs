using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Overlay.Links;

/// <summary>All links of the node. Takes what the kernel says and what probes found, says what to ask next and what has changed. Knows no socket, clock,
/// task or log.</summary>
internal sealed class LinksCore(LinksOptions options)
{
    private readonly SortedDictionary<int, Told> _links = [];
    private int _lastId;

    /// <summary>Probes to make, in order.</summary>
    public Queue<ProbeRequest> Outbox { get; } = new();

    /// <summary><c>link-up</c>, <c>link-down</c>, <c>reach-changed</c>, with why.</summary>
    public Queue<NodeEvent> Events { get; } = new();

    public Instant NextWakeup
    {
        get
        {
            var next = Instant.Never;
            foreach (var link in _links.Values)
                next = Instant.Min(next, link.State.NextWakeup);
            return next;
        }
    }

    /// <summary>The whole picture; what is not in it has gone.</summary>
    public void KernelIs(IReadOnlyList<KernelLink> picture, Instant now)
    {
        foreach (var seen in picture)
        {
            var kernel = options.Kinds.TryGetValue(seen.Name, out var kind) ? seen with { Kind = kind } : seen;
            if (_links.TryGetValue(kernel.Index, out var known))
                known.State.KernelIs(kernel, now);
            else if (IsWatched(kernel) && _links.Count < KernelLink.LinksMax)
                _links.Add(kernel.Index, new Told(new LinkState(kernel, options, now)));
        }
        while (FindGone(picture) is { } gone)
        {
            TellGone(gone);
            _links.Remove(gone.State.Kernel.Index);
        }
        Tell();
    }

    public void Answer(int id, ProbeAnswer answer, Instant now)
    {
        foreach (var link in _links.Values)
            if (link.State.Handle(id, answer, now))
                break;
        Tell();
    }

    /// <summary>Somebody who uses the link has reason to think that it is not what it was, such as an acknowledgement that does not come.</summary>
    public void Doubt(int index, Instant now)
    {
        if (_links.TryGetValue(index, out var link))
            link.State.Doubt(now);
    }

    public void Advance(Instant now)
    {
        foreach (var link in _links.Values)
            link.State.Advance(now, Outbox, ref _lastId);
    }

    public IReadOnlyList<LinkView> Views()
    {
        var views = new List<LinkView>(_links.Count);
        foreach (var link in _links.Values)
            views.Add(link.State.View());
        return views;
    }

    /// <summary>Containers come and go with their virtual links; one that is a way out is watched from then on.</summary>
    private bool IsWatched(KernelLink kernel) => options.Names.Count > 0 ? options.Names.Contains(kernel.Name) : !kernel.IsVirtual || kernel.Routes.Count > 0;

    private Told? FindGone(IReadOnlyList<KernelLink> picture)
    {
        foreach (var (index, link) in _links)
            if (!Has(picture, index))
                return link;
        return null;
    }

    private static bool Has(IReadOnlyList<KernelLink> picture, int index)
    {
        foreach (var kernel in picture)
            if (kernel.Index == index)
                return true;
        return false;
    }

    private void Tell()
    {
        foreach (var link in _links.Values)
        {
            var (kernel, verdict) = (link.State.Kernel, link.State.Verdict);
            if (link.State.IsUp != link.IsUp)
            {
                link.IsUp = link.State.IsUp;
                Events.Enqueue(link.IsUp
                    ? new NodeEvent("link-up", kernel.Name, $"{kernel.Kind} has a carrier")
                    : new NodeEvent("link-down", kernel.Name, verdict.Why));
            }
            if (verdict.Reach == link.Reach)
                continue;
            TellReach(link, verdict.Reach, verdict.Why);
        }
    }

    private void TellGone(Told link)
    {
        if (link.IsUp)
            Events.Enqueue(new NodeEvent("link-down", link.State.Kernel.Name, "the interface has gone"));
        if (link.Reach != Reachability.None)
            TellReach(link, Reachability.None, "the interface has gone");
    }

    private void TellReach(Told link, Reachability reach, string why)
    {
        Events.Enqueue(new NodeEvent("reach-changed", link.State.Kernel.Name, why, null, new Dictionary<string, string>
        {
            ["from"] = Word(link.Reach), ["to"] = Word(reach),
        }));
        link.Reach = reach;
    }

    private static string Word(Reachability reach) => reach switch
    {
        Reachability.Internet => "internet",
        Reachability.Site => "site",
        _ => "none",
    };

    /// <summary>A link, and what has been told of it.</summary>
    private sealed class Told(LinkState state)
    {
        public LinkState State => state;

        public bool IsUp { get; set; }

        public Reachability Reach { get; set; }
    }
}
