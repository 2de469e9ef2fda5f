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

    public OverlayFigures Figures() => new(Counts.Received, Counts.Sent, Counts.Switches,
    [
        new("malformed", Counts.Malformed), new("forged", Counts.Forged), new("replayed", Counts.Replayed), new("strange", Counts.Strange), new("refused", Counts.Refused),
        new("limited", Counts.Limited),
    ]);

    private static OverlayPathView View(PeerPath path) => new(path.LinkName, path.Kind, path.Key.Remote, path.IsUsable, path.RoundTrip.Smoothed, path.Loss);
}
