using System.Net;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Contracts.Overlay;

/// <param name="IsMet">Keys were agreed on, and it has said which run of it this is.</param>
/// <param name="Waiting">Messages with which it has not dealt.</param>
/// <param name="Path">The way in use; <c>null</c> while there is none, or nothing is said.</param>
/// <param name="Why">Why that one, when it was last changed.</param>
public sealed record OverlayPeerView(NodeId Id, bool IsMet, int Waiting, OverlayPathView? Path, string Why, IReadOnlyList<OverlayPathView> Paths, long Switches);

/// <param name="Link">Name of the link; <c>route</c>: wherever the kernel routes.</param>
/// <param name="IsUsable">The peer has answered over it, and nothing says that it would not now.</param>
/// <param name="Loss">Of the last probes, 0-1.</param>
public sealed record OverlayPathView(string Link, LinkKind Kind, IPEndPoint Remote, bool IsUsable, TimeSpan? RoundTrip, double Loss);
