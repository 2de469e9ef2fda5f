namespace EdgeFirmware.Overlay.Peers;

/// <summary>Counted since the start.</summary>
/// <param name="Received">Datagrams, whatever became of them.</param>
/// <param name="Switches">How often another path to a peer was used than before.</param>
/// <param name="Dropped">Datagrams, by why.</param>
public sealed record OverlayFigures(long Received, long Sent, long Switches, IReadOnlyList<KeyValuePair<string, long>> Dropped);
