using System.Net;
using System.Runtime.InteropServices;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>What the neighbour table (ARP; RFC 4861) says of a gateway and of everybody else on its link. Takes the answer to RTM_GETNEIGH.</summary>
/// <param name="index">Of the link.</param>
internal sealed class NeighbourPicture(int index, IPAddress gateway)
{
    /// <summary>Its link-layer address is confirmed, or was and is being confirmed anew: RFC 4861, section 7.3.2, allows a few seconds for that. A stale
    /// entry is one nobody has used, and says nothing.</summary>
    private const ushort Confirmed = NUD_REACHABLE | NUD_DELAY | NUD_PROBE;

    public bool GatewayIsThere { get; private set; }

    public bool OthersAreThere { get; private set; }

    /// <summary>struct ndmsg: family, pad (3), index (4), state (2), flags, type.</summary>
    public void Take(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 12 || MemoryMarshal.Read<int>(payload[4..]) != index)
            return;
        var state = MemoryMarshal.Read<ushort>(payload[8..]);
        var attributes = new AttributeReader(payload[12..]);
        while (attributes.Read())
            if (attributes.Type == NDA_DST && LinkPicture.Address(payload[0], attributes.Value, index) is { } address)
            {
                if (address.Equals(gateway))
                    GatewayIsThere |= (state & Confirmed) != 0;
                else
                    // Multicast and loopback entries are NOARP and prove nobody.
                    OthersAreThere |= (state & NUD_REACHABLE) != 0;
            }
    }
}
