using System.Net;

namespace EdgeFirmware.Contracts.Links;

/// <summary>Datagrams over a link of one's choice, whatever the routing table prefers. Link 0 is the choice of the routing table.</summary>
public interface ILinkDatagrams : IDisposable
{
    /// <summary>Longer ones are not handed over. An Ethernet frame's worth, though IPv6 and UDP headers leave less of it.</summary>
    const int DatagramBytesMax = 1500;

    /// <summary>Serves the links that are up and have an address, and no others. Costs next to nothing when these have not changed.</summary>
    void LinksAre(IReadOnlyList<KernelLink> links);

    /// <summary>Best effort. From any thread.</summary>
    /// <returns>Whether it was sent: <c>false</c> without such a link, without a route, or with a full buffer.</returns>
    bool Send(int link, IPEndPoint to, ReadOnlySpan<byte> datagram);

    /// <summary>To every node on the link that receives at the same port: IPv6 multicast, or IPv4's where the link has no address of IPv6. The node itself
    /// does not hear it.</summary>
    /// <returns>As above; <c>false</c> for link 0.</returns>
    bool SendToNeighbours(int link, ReadOnlySpan<byte> datagram);

    /// <summary>Hands over one datagram at a time, in no order among links. Ends only when cancelled; called once at a time.</summary>
    /// <exception cref="LinkException">The kernel gives no datagrams any more. May be called again.</exception>
    Task ReceiveAsync(LinkDatagramHandler came, CancellationToken cancel);
}
