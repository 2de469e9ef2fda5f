namespace EdgeFirmware.Overlay.Peers;

/// <summary>Datagrams that were dropped, by why. Counted since the start.</summary>
internal sealed class OverlayCounts
{
    /// <summary>Too short, too long, of no known type, or sealed but no frames.</summary>
    public long Malformed { get; set; }

    /// <summary>Not made with the keys of its session.</summary>
    public long Forged { get; set; }

    public long Replayed { get; set; }

    /// <summary>Of a session that is not known here.</summary>
    public long Strange { get; set; }

    /// <summary>Handshakes with somebody who is not of this site, or not whom this node expects.</summary>
    public long Refused { get; set; }

    /// <summary>First datagrams beyond what is answered at a time.</summary>
    public long Limited { get; set; }

    /// <summary>To be relayed, to a node that is not reached from here, or only by the way that it came.</summary>
    public long NoWay { get; set; }

    /// <summary>To be relayed, after too many relays, or back to who had sent it.</summary>
    public long Circling { get; set; }

    /// <summary>To be relayed, more than the link carries.</summary>
    public long Crowded { get; set; }

    /// <summary>To be relayed by this node, which does not.</summary>
    public long NotRelaying { get; set; }

    /// <summary>Passed on for others, and their bytes.</summary>
    public long Relayed { get; set; }

    public long RelayedBytes { get; set; }

    /// <summary>That neighbours were told of routes.</summary>
    public long ToldBytes { get; set; }

    public long Received { get; set; }

    public long Sent { get; set; }

    public long Switches { get; set; }
}
