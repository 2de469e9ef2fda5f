namespace EdgeFirmware.Mesh.Placement;

/// <summary>When a node moves work that nobody asked it to move. Each bound is against one way of moving too much.</summary>
public sealed record PlacementRules
{
    /// <summary>Whether an uneven site is evened out.</summary>
    public bool Balances { get; init; } = true;

    /// <summary>A node moves something by itself only to where it costs less than this share of what staying costs, the move included: what is
    /// measured wavers by a tenth, and so is gossiped.</summary>
    public double CostShareMax { get; init; } = 0.75;

    /// <summary>Between two looks at the balance of a node, drawn at random so that nodes do not look at the same instant.</summary>
    public TimeSpan BalanceIntervalMin { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan BalanceIntervalMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A workload stays at least this long before balance moves it; see <see cref="Tenure"/> for how that grows.</summary>
    public TimeSpan BalanceResidence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What a user has put somewhere is not moved for mere balance for this long.</summary>
    public TimeSpan WishHolds { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A node that foresees its failure with this likelihood, this long, gives away what it has.</summary>
    public double FailureHigh { get; init; } = 0.8;

    public TimeSpan FailureSustained { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The danger is over once the likelihood has been below this for <see cref="FailureOver"/>.</summary>
    public double FailureLow { get; init; } = 0.5;

    public TimeSpan FailureOver { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>While a node is evacuated, a workload that nobody took is offered again after this long.</summary>
    public TimeSpan EvacuationRetry { get; init; } = TimeSpan.FromSeconds(30);
}
