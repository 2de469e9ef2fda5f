using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Relaying;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>Which path to a peer is used. The rows are tried in order:
/// <code>
/// the one in use           | another                          | then
/// none, or lost            | usable                           | the best of them, at once
/// lost, but answering      | answering                        | stay
/// none, or lost            | answering                        | the best of them, at once
/// nothing acknowledged     | has carried something since      | the best of them, at once
/// usable                   | better, for its hold-down        | the other
/// otherwise                |                                  | stay
/// </code></summary>
internal static class PathChoice
{
    /// <summary>A path that loses more is worse than any other.</summary>
    private const double LossSevere = 0.4;

    /// <returns>The path to use and why it is another one; <c>null</c> when none is usable.</returns>
    public static (PeerPath? Path, string Why) Of(IReadOnlyList<PeerPath> paths, PeerPath? current, Instant now)
    {
        if (current is not { IsUsable: true })
        {
            var usable = Best(paths, static (path, _) => path.IsUsable, now);
            if (usable is null && current is { IsAnswering: true })
                return (current, "");
            return (usable ?? Best(paths, static (path, _) => path.IsAnswering, now), current switch
            {
                null => "the first that answers",
                { IsUp: false, Key.IsRelayed: true } => $"it is not reached {current.LinkName} any more",
                { IsUp: false } => $"no carrier on {current.LinkName}",
                _ => $"{current.LinkName} does not answer any more",
            });
        }
        if (current.IsStalled(now))
        {
            var since = now - current.SilentFor(now);
            if (Best(paths, (path, _) => path != current && path.IsUsable && path.ConfirmedAt > since, now) is { } alive)
                return (alive, $"nothing acknowledged over {current.LinkName} for {current.SilentFor(now).TotalMilliseconds:0} ms, {alive.LinkName} answers");
            return (current, "");
        }
        var better = Best(paths, (path, at) => path != current && path.IsUsable && IsBetter(path, current) && path.GoodFor(at) >= path.HoldDown, now);
        return better is null ? (current, "") : (better, $"{better.LinkName} has answered for {better.GoodFor(now).TotalSeconds:0} s");
    }

    private static PeerPath? Best(IReadOnlyList<PeerPath> paths, Func<PeerPath, Instant, bool> fits, Instant now)
    {
        PeerPath? best = null;
        foreach (var path in paths)
            if (fits(path, now) && (best is null || Rank(path).CompareTo(Rank(best)) < 0))
                best = path;
        return best;
    }

    /// <summary>So much that it is worth a change: another medium, or of the same one far less loss or delay.</summary>
    private static bool IsBetter(PeerPath path, PeerPath current)
    {
        var order = (path.Loss > LossSevere, Medium(path)).CompareTo((current.Loss > LossSevere, Medium(current)));
        return order != 0 ? order < 0 : path.Loss + 0.2 < current.Loss || (path.Loss <= current.Loss && path.RoundTrip.Smoothed * 4 < current.RoundTrip.Smoothed);
    }

    /// <summary>Less is better; the order of the fields is the policy.</summary>
    private static (bool IsSevere, int Medium, int LossAndHops, TimeSpan RoundTrip) Rank(PeerPath path) =>
        (path.Loss > LossSevere, Medium(path), (int)(path.Loss * 5) * RouteTable.HopsMax + path.Hops, path.RoundTrip.Smoothed ?? TimeSpan.Zero);

    /// <summary>Through others only where the node's own links are not better: after the modem, and before the radio if there is none on the way.</summary>
    private static int Medium(PeerPath path) => (path.Kind, path.Key.IsRelayed) switch
    {
        (LinkKind.SixLowpan, true) => 6,
        (LinkKind.SixLowpan, false) => 5,
        (_, true) => 4,
        (LinkKind.Ethernet, _) => 0,
        (LinkKind.Wifi, _) => 1,
        (LinkKind.Other, _) => 2,
        _ => 3,
    };
}
