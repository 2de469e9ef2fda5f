using System.Net;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>One way to a peer: out of this link, to that address.</summary>
/// <param name="Link">Index of the link; 0: wherever the kernel routes.</param>
internal readonly record struct PathKey(int Link, IPEndPoint Remote);
