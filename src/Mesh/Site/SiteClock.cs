using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What time it is for the dates in certificates, on machines of which some have no clock. Every node's own clock is a vote; the time
/// is known when more than half of the nodes heard agree with the median, two at least. A clock before the last time that was known, which
/// is kept on disk, has no vote: it is one that starts at 1970, or at the last shutdown.</summary>
/// <remarks>Times are milliseconds since 1970, UTC. A vote is kept as its difference to the monotonic clock, so it stays good while the
/// voter is silent.</remarks>
public sealed class SiteClock
{
    /// <summary>Clocks that differ by more disagree. Dates in certificates are days apart, and a machine that has just got its time by radio
    /// may be a minute off.</summary>
    public static readonly TimeSpan Agreement = TimeSpan.FromMinutes(5);

    /// <summary>Then a vote is forgotten. Monotonic clocks drift by at most 100 ppm: 9 s a day.</summary>
    private static readonly TimeSpan VoteLife = TimeSpan.FromHours(24);

    /// <summary>The disk is told of progress no more often: a write a day wears no card.</summary>
    private static readonly TimeSpan SaveStep = TimeSpan.FromDays(1);
    private const int VotersMax = 256;

    private readonly Dictionary<NodeId, Vote> _votes = [];
    private long _saved;
    private long? _ownOffset;
    private SiteTime _time;

    /// <param name="bound">The last time known, from disk and from what the authority has signed for this node.</param>
    public SiteClock(long bound)
    {
        Bound = _saved = bound;
        _time = new SiteTime(bound, false, "no clock has been looked at");
    }

    /// <summary>It is certainly later than this.</summary>
    public long Bound { get; private set; }

    /// <summary>As of the last <see cref="Advance"/>.</summary>
    public SiteTime Time => _time;

    /// <summary>Whether the bound has come far enough to be written to disk.</summary>
    public bool IsWorthSaving => Bound - _saved >= (long)SaveStep.TotalMilliseconds;

    public void Saved() => _saved = Bound;

    /// <summary>What a peer is told of this node's clock: <c>null</c> when the clock is known to be wrong.</summary>
    public long? OwnVote(Instant now) => _ownOffset is { } offset && offset + Milliseconds(now) >= Bound ? offset + Milliseconds(now) : null;

    /// <param name="clock">What its own clock says, or <c>null</c> when it knows that it has none; it still counts as a node that was asked.</param>
    public void Heard(NodeId peer, long? clock, Instant now)
    {
        if (_votes.Count >= VotersMax && !_votes.ContainsKey(peer))
            ForgetOldest();
        _votes[peer] = new Vote(clock - Milliseconds(now), now);
    }

    /// <summary>It has been shut out.</summary>
    public void Forget(NodeId peer) => _votes.Remove(peer);

    /// <param name="ownClock">What this machine's clock says.</param>
    public void Advance(long ownClock, Instant now)
    {
        _ownOffset = ownClock - Milliseconds(now);
        List<NodeId>? old = null;
        List<long> offsets = [];
        var heard = 1;
        foreach (var (peer, vote) in _votes)
            if (now - vote.At > VoteLife)
                (old ??= []).Add(peer);
            else
            {
                heard++;
                if (vote.Offset is { } offset && offset + Milliseconds(now) >= Bound)
                    offsets.Add(offset);
            }
        foreach (var peer in old ?? [])
            _votes.Remove(peer);
        if (OwnVote(now) is not null)
            offsets.Add(_ownOffset.Value);
        _time = Judge(offsets, heard, now);
        if (_time.IsKnown)
            Bound = Math.Max(Bound, _time.Milliseconds - (long)Agreement.TotalMilliseconds);
    }

    private SiteTime Judge(List<long> offsets, int heard, Instant now)
    {
        if (offsets.Count == 0)
            return new SiteTime(Bound, false, "no node has a clock that is right");
        offsets.Sort();
        var median = offsets[(offsets.Count - 1) / 2];
        var agreeing = 0;
        foreach (var offset in offsets)
            if (Math.Abs(offset - median) <= (long)Agreement.TotalMilliseconds)
                agreeing++;
        if (agreeing >= 2 && agreeing * 2 > heard)
            return new SiteTime(median + Milliseconds(now), true, "");
        // The best guess, for what needs some date: the own clock when it may be right.
        var guess = (OwnVote(now) is null ? median : _ownOffset!.Value) + Milliseconds(now);
        return new SiteTime(guess, false, $"{agreeing} of {heard} nodes agree on the time, more than half and two at least are needed");
    }

    private void ForgetOldest()
    {
        var oldest = default(NodeId);
        var at = Instant.Never;
        foreach (var (peer, vote) in _votes)
            if (vote.At < at)
                (oldest, at) = (peer, vote.At);
        _votes.Remove(oldest);
    }

    private static long Milliseconds(Instant at) => at.Microseconds / 1000;

    private sealed record Vote(long? Offset, Instant At);
}

/// <param name="Milliseconds">Since 1970, UTC; a guess when it is not known.</param>
/// <param name="Why">Why it is not known.</param>
public readonly record struct SiteTime(long Milliseconds, bool IsKnown, string Why);
