using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Peers;

internal sealed partial class OverlayCore
{
    public IReadOnlyList<OverlayPeerView> Views()
    {
        var views = new List<OverlayPeerView>(_peers.Count);
        foreach (var peer in _peers.Values)
        {
            var paths = new List<OverlayPathView>();
            foreach (var path in peer.Session.Paths)
                paths.Add(View(path));
            views.Add(new OverlayPeerView(
                peer.Id, peer.IsMet, peer.Session.Waiting, peer.Session.Current is { } current ? View(current) : null, peer.LastWhy, paths, peer.Switches));
        }
        return views;
    }

    /// <summary>Nodes that are reached, spoken with or not.</summary>
    public IReadOnlyList<NodeId> Reached() => [.. _routes.Reached];

    public OverlayFigures Figures() => new(Counts.Received, Counts.Sent, Counts.Switches, Counts.Relayed, Counts.RelayedBytes, Counts.ToldBytes,
    [
        new("malformed", Counts.Malformed), new("forged", Counts.Forged), new("replayed", Counts.Replayed), new("strange", Counts.Strange), new("refused", Counts.Refused),
        new("limited", Counts.Limited), new("no-way", Counts.NoWay), new("circling", Counts.Circling), new("crowded", Counts.Crowded), new("not-relaying", Counts.NotRelaying),
        new("unbelieved", _routes.Unbelieved),
    ]);

    private OverlayPathView View(PeerPath path)
    {
        if (!path.Key.IsRelayed || !_byHandle.TryGetValue(path.Key.Via, out var via))
            return new OverlayPathView(path.LinkName, path.Kind, path.Key.Remote, path.IsUsable, path.RoundTrip.Smoothed, path.Loss);
        var next = via.Near.Direct ?? path.Key;
        var name = RouteName;
        foreach (var link in _links)
            if (link.Index == next.Link)
                name = link.Name;
        return new OverlayPathView(name, path.Kind, next.Remote, path.IsUsable, path.RoundTrip.Smoothed, path.Loss, via.Id);
    }
}
