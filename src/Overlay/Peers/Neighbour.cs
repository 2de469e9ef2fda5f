using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Relaying;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>A peer as a neighbour: the link to it, what it was told of others, and through whom it was met itself.</summary>
internal sealed class Neighbour
{
    /// <summary>Neighbours through which it was heard, though perhaps they tell of no way to it.</summary>
    private const int ThroughMax = 4;

    private readonly List<int> _through = [];

    /// <summary>How it is reached with nobody between, or was before its session fell asleep; <c>null</c>: it is not.</summary>
    public PathKey? Direct { get; set; }

    /// <summary>Of that link.</summary>
    public LinkKind Kind { get; set; }

    /// <summary>When its ways were asked after a sleep: until they have had time to answer the former one is believed in.</summary>
    public Instant WokenAt { get; set; }

    /// <summary>When something genuine last came from it.</summary>
    public Instant HeardAt { get; private set; }

    /// <summary>Since when others' datagrams go to it and nothing comes from it; <see cref="Instant.Never"/>: it is not so.</summary>
    public Instant UnansweredSince { get; set; } = Instant.Never;

    /// <summary>When to greet it since it is a neighbour; <see cref="Instant.Never"/>: not now.</summary>
    public Instant CourtAt { get; set; } = Instant.Never;

    /// <summary>Greetings left for which there is no other reason.</summary>
    public int CourtsLeft { get; set; }

    public Told Told { get; } = new();

    /// <summary>Version of the table that it knows.</summary>
    public int ToldVersion { get; set; }

    /// <summary>A message with routes is under way.</summary>
    public bool IsTelling { get; set; }

    /// <summary>When to tell it what is new; <see cref="Instant.Never"/>: nothing is.</summary>
    public Instant TellAt { get; set; } = Instant.Never;

    /// <summary>When it was last told something.</summary>
    public Instant ToldAt { get; set; }

    /// <summary>There was a way through others when it was last looked.</summary>
    public bool IsReachedThroughOthers { get; set; }

    public IReadOnlyList<int> Through => _through;

    public void Heard(Instant now) => (HeardAt, UnansweredSince) = (now, Instant.Never);

    public void MetThrough(int via)
    {
        if (_through.Contains(via))
            return;
        _through.Add(via);
        if (_through.Count > ThroughMax)
            _through.RemoveAt(0);
    }

    /// <summary>It has begun anew and knows nothing.</summary>
    public void Restart()
    {
        Told.Forget();
        (ToldVersion, IsTelling) = (0, false);
    }
}
