using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

/// <summary>How often a link is asked. Less on what costs money, power or most of the channel.</summary>
/// <param name="Sure">While it answers.</param>
/// <param name="Doubt">While answers are missing, or come again.</param>
/// <param name="Dead">While it is known not to answer.</param>
internal sealed record ProbePace(TimeSpan Sure, TimeSpan Doubt, TimeSpan Dead)
{
    private static readonly ProbePace Wired = new(TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1));
    private static readonly ProbePace Cellular = new(TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    private static readonly ProbePace SixLowpan = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(15));

    public static ProbePace Of(LinkKind kind) => kind switch
    {
        LinkKind.Cellular => Cellular,
        LinkKind.SixLowpan => SixLowpan,
        _ => Wired,
    };
}

/// <summary>Bytes that probes may put on a slow link: a bucket that fills at 0.5 % of 250 kbit/s.</summary>
/// <param name="isBounded">Otherwise there is always room.</param>
internal sealed class ProbeBudget(bool isBounded, Instant now)
{
    /// <summary>250 000 / 8 · 0.005.</summary>
    public const double BytesPerSecond = 156;

    /// <summary>SYN, SYN/ACK, ACK and RST of 60 to 80 bytes with the IPv6 header as a whole; header compression makes them less.</summary>
    public const int ProbeBytes = 300;

    /// <summary>A doubt is settled by about six probes.</summary>
    private const double BytesMax = 6 * ProbeBytes;

    private double _bytes = BytesMax;
    private Instant _filledAt = now;

    /// <summary>When the next probe may be sent: now or later.</summary>
    public Instant ReadyAt(Instant now)
    {
        if (!isBounded)
            return now;
        Fill(now);
        return _bytes >= ProbeBytes ? now : now + TimeSpan.FromSeconds((ProbeBytes - _bytes) / BytesPerSecond);
    }

    public void Spend(Instant now)
    {
        Fill(now);
        _bytes -= ProbeBytes;
    }

    private void Fill(Instant now)
    {
        _bytes = Math.Min(BytesMax, _bytes + (now - _filledAt).TotalSeconds * BytesPerSecond);
        _filledAt = now;
    }
}
