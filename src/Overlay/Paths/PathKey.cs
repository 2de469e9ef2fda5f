using System.Net;

namespace EdgeFirmware.Overlay.Paths;

/// <summary>One way to a peer: out of this link, to that address; or through a neighbour, whichever link leads to that one.</summary>
/// <param name="Link">Index of the link; 0: wherever the kernel routes.</param>
/// <param name="Via">Handle of the neighbour; 0: there is none between.</param>
/// <param name="To">Handle of the peer when it is reached through a neighbour.</param>
internal readonly record struct PathKey(int Link, IPEndPoint Remote, int Via = 0, int To = 0)
{
    private static readonly IPEndPoint Nowhere = new(IPAddress.IPv6None, 0);

    public bool IsRelayed => Via != 0;

    public static PathKey Through(int via, int to) => new(-1, Nowhere, via, to);
}
