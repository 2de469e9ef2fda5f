using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Peers;

/// <param name="IsMet">Keys were agreed on, and it has said which run of it this is.</param>
/// <param name="Waiting">Messages with which it has not dealt.</param>
/// <param name="Path">The way in use; <c>null</c> while there is none, or nothing is said.</param>
/// <param name="Why">Why that one, when it was last changed.</param>
public sealed record OverlayPeerView(NodeId Id, bool IsMet, int Waiting, OverlayPathView? Path, string Why, IReadOnlyList<OverlayPathView> Paths, long Switches);
