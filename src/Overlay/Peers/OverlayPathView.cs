using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Peers;

/// <param name="Link">Name of the link; <c>route</c>: wherever the kernel routes.</param>
/// <param name="Via">The neighbour that passes it on, over that link; <c>null</c>: nobody.</param>
/// <param name="Remote">Of the next node.</param>
/// <param name="IsUsable">The peer has answered over it, and nothing says that it would not now.</param>
/// <param name="Loss">Of the last probes, 0-1.</param>
public sealed record OverlayPathView(string Link, LinkKind Kind, IPEndPoint Remote, bool IsUsable, TimeSpan? RoundTrip, double Loss, NodeId? Via = null);
