namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>What a node may put on the air to tell what it offers. Gossip brings every offer to every node in about
/// <see cref="CopiesHeard"/> copies, so in a site of n nodes each spends n times as much as one says.</summary>
public sealed record OfferBudget
{
    /// <summary>Copies of one update that a node gets before gossip stops spreading it.</summary>
    public const int CopiesHeard = 4;

    /// <summary>The site that the figures here are for; in a larger one they are stretched.</summary>
    public const int NodesOfASite = 32;

    /// <summary>A typical signed offer of 185 bytes from each of <see cref="NodesOfASite"/> nodes in 7 min is 56 B/s at each node.</summary>
    public static readonly OfferBudget Lan = new();

    /// <summary>The same in 42 min is 9.4 B/s, 0.03 % of a link of 250 kbit/s.</summary>
    public static readonly OfferBudget LowPower = new()
    {
        BytesPerSecond = 2,
        BurstBytes = 640,
        Lasting = TimeSpan.FromMinutes(1),
        Repeat = TimeSpan.FromMinutes(42),
        Validity = TimeSpan.FromMinutes(100),
    };

    /// <summary>Mean of what changes may cost in the long run, in bytes of one copy, however much flaps.</summary>
    public double BytesPerSecond { get; init; } = 64;

    /// <summary>What may be said at once after a quiet time: a few offers.</summary>
    public int BurstBytes { get; init; } = 1024;

    /// <summary>A figure has changed when it stays changed this long: longer than a mean over 15 s remembers a burst of a few seconds.</summary>
    public TimeSpan Lasting { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>An unchanged offer is repeated this often, give or take a twentieth: twice within <see cref="Validity"/>.</summary>
    public TimeSpan Repeat { get; init; } = TimeSpan.FromMinutes(7);

    /// <summary>How long the others believe it.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromMinutes(15);
}
