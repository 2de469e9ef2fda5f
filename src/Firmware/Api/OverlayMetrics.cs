using System.Text;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Overlay.Peers;

namespace EdgeFirmware.Firmware.Api;

/// <summary>The ways to other nodes, in Prometheus text.</summary>
internal static class OverlayMetrics
{
    public static void Write(StringBuilder text, OverlayFigures figures, PeerPathsView[] peers)
    {
        MetricsText.Head(text, "edge_overlay_datagrams_total", "counter", "Datagrams between nodes.");
        MetricsText.Line(text, "edge_overlay_datagrams_total{direction=\"in\"}", figures.Received);
        MetricsText.Line(text, "edge_overlay_datagrams_total{direction=\"out\"}", figures.Sent);
        MetricsText.Head(text, "edge_overlay_dropped_total", "counter", "Datagrams that were dropped.");
        foreach (var (why, count) in figures.Dropped)
            MetricsText.Line(text, $"edge_overlay_dropped_total{{why=\"{why}\"}}", count);
        MetricsText.Head(text, "edge_overlay_relayed_total", "counter", "Datagrams that were passed on for other nodes.");
        MetricsText.Line(text, "edge_overlay_relayed_total", figures.Relayed);
        MetricsText.Head(text, "edge_overlay_relayed_bytes_total", "counter", "Bytes of them.");
        MetricsText.Line(text, "edge_overlay_relayed_bytes_total", figures.RelayedBytes);
        MetricsText.Head(text, "edge_overlay_told_bytes_total", "counter", "Bytes by which neighbours were told whom this node reaches.");
        MetricsText.Line(text, "edge_overlay_told_bytes_total", figures.ToldBytes);
        MetricsText.Head(text, "edge_overlay_switches_total", "counter", "How often another path to a node was used than before.");
        MetricsText.Line(text, "edge_overlay_switches_total", figures.Switches);
        MetricsText.Head(text, "edge_path_usable", "gauge", "1 while the node answers over that link.");
        foreach (var (peer, path) in Each(peers))
            MetricsText.Line(text, $"edge_path_usable{Labels(peer, path)}", path.Usable ? 1 : 0);
        MetricsText.Head(text, "edge_path_round_trip_seconds", "gauge", "Smoothed round-trip time to the node over that link.");
        foreach (var (peer, path) in Each(peers))
            if (path.RoundTripMs is { } milliseconds)
                MetricsText.Line(text, $"edge_path_round_trip_seconds{Labels(peer, path)}", milliseconds / 1000);
    }

    private static string Labels(string peer, PathView path) =>
        $"{{node=\"{peer}\",link=\"{path.Link}\",address=\"{path.Address}\"{(path.Via is { } via ? $",via=\"{via}\"" : "")}}}";

    private static IEnumerable<(string Peer, PathView Path)> Each(PeerPathsView[] peers) => peers.SelectMany(peer => peer.Paths.Select(path => (peer.Id, path)));
}
