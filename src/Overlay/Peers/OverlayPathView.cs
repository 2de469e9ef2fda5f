using System.Net;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Peers;

/// <param name="Link">Name of the link; <c>route</c>: wherever the kernel routes.</param>
/// <param name="IsUsable">The peer has answered over it, and nothing says that it would not now.</param>
/// <param name="Loss">Of the last probes, 0-1.</param>
public sealed record OverlayPathView(string Link, LinkKind Kind, IPEndPoint Remote, bool IsUsable, TimeSpan? RoundTrip, double Loss);
