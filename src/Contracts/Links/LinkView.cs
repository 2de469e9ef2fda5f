namespace EdgeFirmware.Contracts.Links;

/// <summary>An immutable picture of one link and of what is known about where it leads.</summary>
/// <param name="Why">Of <paramref name="Reach"/>, for a person.</param>
/// <param name="IsProven">An answer has shown it; otherwise it is the most that may be believed without asking.</param>
/// <param name="RoundTrip">Smoothed, to whoever is asked over this link (SRTT of RFC 6298); <c>null</c> before the first answer.</param>
/// <param name="RoundTripVariation">RTTVAR of RFC 6298.</param>
/// <param name="Loss">Share of the last probes that were not answered, 0-1; <c>null</c> before the first.</param>
/// <param name="Traits">What using it costs.</param>
/// <param name="Since">When <paramref name="Reach"/> last changed.</param>
public sealed record LinkView(
    KernelLink Kernel, Reachability Reach, string Why, bool IsProven, TimeSpan? RoundTrip, TimeSpan? RoundTripVariation, double? Loss, LinkTraits Traits, Instant Since)
{
    /// <summary>Sent since the link appeared.</summary>
    public long Probes { get; init; }

    /// <summary>How often <see cref="Reach"/> has changed since the link appeared.</summary>
    public long Changes { get; init; }
}

/// <summary>Orders of magnitude by which links compare; nothing is billed by them.</summary>
/// <param name="Cost">Of a byte, relative: 0 for what costs nothing.</param>
/// <param name="Milliwatts">Of the radio or transceiver while it is used.</param>
public sealed record LinkTraits(int Cost, int Milliwatts)
{
    public static LinkTraits Of(LinkKind kind) => kind switch
    {
        LinkKind.Ethernet => new LinkTraits(0, 200),
        LinkKind.Wifi => new LinkTraits(0, 800),
        LinkKind.Cellular => new LinkTraits(10, 2000),
        LinkKind.SixLowpan => new LinkTraits(5, 100),
        _ => new LinkTraits(1, 500),
    };
}
