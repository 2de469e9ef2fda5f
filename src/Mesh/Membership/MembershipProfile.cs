using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Timing of membership, one profile a kind of network instead of a knob a constant.</summary>
public sealed record MembershipProfile
{
    /// <summary>Wired or Wi-Fi site. A dead member is known after about one period to probe it, one to find it silent and the suspicion.</summary>
    public static readonly MembershipProfile Lan = new();

    /// <summary>SWIM's protocol period T': one member is probed in each.</summary>
    public TimeSpan ProbePeriod { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>A direct answer later than this is sought through others. Three times the worst round trip of a busy Wi-Fi.</summary>
    public TimeSpan AcknowledgeTimeout { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>SWIM's k: others asked to probe a silent member.</summary>
    public int IndirectProbes { get; init; } = 3;

    /// <summary>Suspicion lasts this many periods, times log10 of the member count when that is more than one.</summary>
    public double SuspicionPeriods { get; init; } = 3;

    /// <summary>Updates wait at most this long for a probe to ride on.</summary>
    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Members that a gossip round reaches.</summary>
    public int GossipFanout { get; init; } = 3;

    /// <summary>An update is sent this many times, times log2 of the member count: enough to reach all with high probability.</summary>
    public int RetransmitFactor { get; init; } = 2;

    /// <summary>Full views are exchanged with one random member this often; heals what gossip lost.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>While no other member is alive, and towards seeds and dead members afterwards, contact is sought this often.</summary>
    public TimeSpan SeekInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A dead member is remembered so that old gossip does not revive it.</summary>
    public TimeSpan DeadRetention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How often what is offered is said, and how long it holds.</summary>
    public OfferBudget Offers { get; init; } = OfferBudget.Lan;

    public int MembersMax { get; init; } = 4096;

    public TimeSpan SuspicionTimeout(int memberCount) => ProbePeriod * SuspicionPeriods * Math.Max(1, Math.Log10(Math.Max(1, memberCount)));

    public int Retransmits(int memberCount) => RetransmitFactor * (int)Math.Ceiling(Math.Log2(memberCount + 1));
}
