using System.Net;

namespace EdgeFirmware.Contracts.Links;

/// <summary>Asks over one link, whatever the routing table prefers.</summary>
public interface ILinkProber
{
    /// <summary>Opens a TCP connection over the link and closes it at once; no byte of payload is sent.</summary>
    /// <param name="target">Of a family in which the link has an address.</param>
    /// <param name="isGateway">When it is silent, the kernel's neighbour table is asked as well.</param>
    /// <returns>Never throws but when cancelled: a failing network is an answer.</returns>
    Task<ProbeAnswer> ProbeAsync(KernelLink link, IPEndPoint target, bool isGateway, TimeSpan patience, CancellationToken cancel);
}

/// <summary>What came of a probe.</summary>
/// <param name="RoundTrip">From the first packet to the answer; <c>null</c> when none came, or when a packet was sent again and it cannot be told which one was
/// answered (Karn's algorithm, RFC 6298, section 3).</param>
/// <param name="OthersHeard">Somebody else on the link was there just now, by the neighbour table. Only told of a silent gateway.</param>
public sealed record ProbeAnswer(ProbeOutcome Outcome, TimeSpan? RoundTrip = null, bool OthersHeard = false);

public enum ProbeOutcome : byte
{
    /// <summary>It took the connection.</summary>
    Accepted,

    /// <summary>It answered with a reset: somebody is there, perhaps a firewall in its place.</summary>
    Refused,

    /// <summary>A gateway that does not answer TCP, whose link-layer address the kernel has confirmed (ARP, RFC 4861).</summary>
    NeighbourOnly,

    Silent,

    /// <summary>Nothing was sent, so nothing is known: the interface has gone, or the kernel is older than 5.7 and binds to an interface only with
    /// CAP_NET_RAW.</summary>
    NotSent,
}
