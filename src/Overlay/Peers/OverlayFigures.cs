namespace EdgeFirmware.Overlay.Peers;

/// <summary>Counted since the start.</summary>
/// <param name="Received">Datagrams, whatever became of them.</param>
/// <param name="Switches">How often another path to a peer was used than before.</param>
/// <param name="Relayed">Datagrams passed on for others.</param>
/// <param name="RelayedBytes">Of them, as they came.</param>
/// <param name="ToldBytes">That neighbours were told of whom this node reaches.</param>
/// <param name="Dropped">Datagrams, by why.</param>
public sealed record OverlayFigures(long Received, long Sent, long Switches, long Relayed, long RelayedBytes, long ToldBytes, IReadOnlyList<KeyValuePair<string, long>> Dropped);
