using System.Net;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What a node has of its site when it starts.</summary>
/// <param name="Own">This node's certificate.</param>
/// <param name="RenewalRequest">PKCS#10 for this node's key; see <see cref="SiteAuthority.RequestFor"/>.</param>
/// <param name="ClockBound">The last time that was known, milliseconds since 1970; 0 when none was kept.</param>
/// <param name="Members">As <see cref="MemberDirectory.ToBytes"/> wrote them; empty for none.</param>
public sealed record SiteStart(
    NodeId Self, Certificate Authority, Certificate Own, byte[] RenewalRequest, RevocationList Revocations, GossipKeys Keys, long ClockBound, byte[] Members)
{
    public IReadOnlyList<IPEndPoint> Seeds { get; init; } = [];

    /// <summary>The authority, where this node holds it.</summary>
    public SiteAuthority? Issuer { get; init; }

    public TokenBook Tokens { get; init; } = new();

    public SiteTiming Timing { get; init; } = new();
}

/// <summary>How often a node compares with others.</summary>
public sealed record SiteTiming
{
    public KeyRingTiming Keys { get; init; } = new();

    /// <summary>With a member at random. News is pushed, and a node that missed a change of keys is told by the first datagram it cannot open, so
    /// this is only the last resort: a conversation costs 3 KB each way, 5 B/s.</summary>
    public TimeSpan Compare { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Nodes that start together first find one another, and then ask, each at a moment of its own: handshakes cost more than all else at a start.
    /// Also between two questions of one node for certificates: the answer to one brings others.</summary>
    public TimeSpan Settle { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>While no member is heard: its keys may be old, and then it hears nobody.</summary>
    public TimeSpan CompareAlone { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The second wave of a push reaches those whom the first has missed.</summary>
    public TimeSpan SecondWave { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Members told by each node of a push: with 3, the waves reach all but a few of a thousand in seven rounds.</summary>
    public int Fanout { get; init; } = 3;

    /// <summary>Between two answers to datagrams that cannot be opened: a stranger who sends such makes this node knock no more often.</summary>
    public TimeSpan StrangeDatagrams { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Between two tries to renew.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two questions for the same node's certificate.</summary>
    public TimeSpan UnknownSigner { get; init; } = TimeSpan.FromSeconds(10);
}
