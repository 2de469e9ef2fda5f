using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Timing of membership, one profile a kind of network instead of a knob a constant.</summary>
public sealed record MembershipProfile
{
    /// <summary>Wired or Wi-Fi site.</summary>
    public static readonly MembershipProfile Lan = new();

    /// <summary>IEEE 802.15.4 and other links where a byte costs energy: at most half a percent of 250 kbit/s, frames that need few 6LoWPAN
    /// fragments, and a death that is known after half a minute.</summary>
    public static readonly MembershipProfile LowPower = new()
    {
        ProbePeriod = TimeSpan.FromSeconds(5),
        AcknowledgeTimeout = TimeSpan.FromSeconds(1.5),
        SuspicionMin = TimeSpan.FromSeconds(15),
        SuspicionMax = TimeSpan.FromSeconds(45),
        SuspicionRefused = TimeSpan.FromSeconds(4),
        GossipInterval = TimeSpan.FromSeconds(1),
        GossipFanout = 2,
        SyncInterval = TimeSpan.FromSeconds(60),
        SeekMin = TimeSpan.FromSeconds(2),
        SeekMax = TimeSpan.FromMinutes(10),
        SeekRate = 0.1,
        CallInterval = TimeSpan.FromMinutes(5),
        DatagramBytesMax = 480,
        PiggybackMax = 4,
        Offers = OfferBudget.LowPower,
    };

    /// <summary>SWIM's protocol period T': one member is probed in each.</summary>
    public TimeSpan ProbePeriod { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>A direct answer later than this is sought through others. Three times the worst round trip of a busy Wi-Fi.</summary>
    public TimeSpan AcknowledgeTimeout { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>SWIM's k: others asked to probe a silent member.</summary>
    public int IndirectProbes { get; init; } = 3;

    /// <summary>A suspicion that enough others share lasts this long. More than the two seconds for which a loaded board, or one that writes to a
    /// slow card, may be deaf.</summary>
    public TimeSpan SuspicionMin { get; init; } = TimeSpan.FromSeconds(2.2);

    /// <summary>A suspicion that nobody shares lasts this long.</summary>
    public TimeSpan SuspicionMax { get; init; } = TimeSpan.FromSeconds(6);

    /// <summary>A suspicion lasts this long when the machine of the suspect has said that nobody listens there, which silence cannot: time for a
    /// refutation by a node that moved or restarted.</summary>
    public TimeSpan SuspicionRefused { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Lifeguard's K: independent voices that make a suspicion as short as it gets.</summary>
    public int Confirmations { get; init; } = 3;

    /// <summary>News waits at most this long for the next round.</summary>
    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Members that a gossip round reaches.</summary>
    public int GossipFanout { get; init; } = 3;

    /// <summary>News of status is sent this many times, times log2 of the member count: enough to reach all with high probability, through loss, too.</summary>
    public double StatusRetransmits { get; init; } = 1.5;

    /// <summary>The same for offers: they are long, and what a member misses, comparing views brings.</summary>
    public double OfferRetransmits { get; init; } = 0.6;

    /// <summary>News on one probe or answer.</summary>
    public int PiggybackMax { get; init; } = 12;

    /// <summary>Views that differ are compared at most this often.</summary>
    public TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>While no other member is alive, contact is sought after this long, then ever later, up to twenty times this.</summary>
    public TimeSpan SeekMin { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Knocks a second at the addresses of dead members and of seeds, of all members together: so a partition of any size is noticed soon
    /// after it has healed.</summary>
    public double SeekRate { get; init; } = 5;

    /// <summary>Each member knocks at least this often.</summary>
    public TimeSpan SeekMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The whole site together calls on the multicast groups this often, so that two that grew apart find each other.</summary>
    public TimeSpan CallInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A dead member is remembered so that old gossip does not revive it, and sought so that a partition heals however long it lasts.</summary>
    public TimeSpan DeadRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Largest datagram, seal included: the IPv6 minimum MTU (1 280, RFC 8200) less the IPv6 and UDP headers.</summary>
    public int DatagramBytesMax { get; init; } = 1280 - 40 - 8;

    /// <summary>How often what is offered is said, and how long it holds.</summary>
    public OfferBudget Offers { get; init; } = OfferBudget.Lan;

    public int MembersMax { get; init; } = 4096;

    /// <summary>News takes longer to reach more members, and so does the word against it.</summary>
    public static double ScaleOf(int memberCount) => Math.Max(1, Math.Log10(Math.Max(1, memberCount)) / 1.5);

    public static int Retransmits(double factor, int memberCount) => Math.Max(2, (int)Math.Ceiling(factor * Math.Log2(memberCount + 1)));
}
