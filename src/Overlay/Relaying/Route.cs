using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>A way to a node as a neighbour has told it, or the link to the neighbour itself.</summary>
/// <param name="via">The neighbour.</param>
/// <param name="cost">From there on; 0 for the neighbour itself.</param>
/// <param name="kind">Of the slowest link from there on.</param>
/// <param name="between">The nodes between the neighbour and the destination, in order.</param>
internal sealed class Route(int via, int cost, LinkKind kind, int[] between)
{
    public int Via => via;

    public int Cost => cost;

    public LinkKind Kind => kind;

    public int[] Between => between;

    /// <summary>The link to a neighbour.</summary>
    public bool IsDirect { get; init; }

    /// <summary>Links from this node to the destination.</summary>
    public int Hops => IsDirect ? 1 : between.Length + 2;

    public bool Passes(int node) => (!IsDirect && via == node) || Array.IndexOf(between, node) >= 0;

    /// <summary>Told routes change only when the site does: a link costs what its kind costs, however busy it is. The ends measure.</summary>
    public static int CostOf(LinkKind kind) => kind switch
    {
        LinkKind.Ethernet => 1,
        LinkKind.Cellular => 8,
        LinkKind.SixLowpan => 16,
        _ => 2,
    };

    public static LinkKind Slower(LinkKind one, LinkKind other) => CostOf(one) >= CostOf(other) ? one : other;
}
