namespace EdgeFirmware.Overlay.Sealing;

/// <summary>A packet shows the lowest bits of its counter only; the receiver knows about where the sender is.</summary>
internal static class PacketCounter
{
    public const int ShownBits = 24;

    private const ulong Span = 1UL << ShownBits;

    /// <summary>RFC 9000, appendix A.3, with a fixed width.</summary>
    /// <param name="shown">Below 2^<see cref="ShownBits"/>.</param>
    /// <param name="highest">The highest counter of an authentic packet so far.</param>
    /// <returns>The counter with these lowest bits that is nearest to the next one expected.</returns>
    public static ulong Expand(uint shown, ulong highest)
    {
        var expected = highest + 1;
        var candidate = (expected & ~(Span - 1)) | shown;
        if (candidate + Span / 2 <= expected)
            return candidate + Span;
        return candidate > expected + Span / 2 && candidate >= Span ? candidate - Span : candidate;
    }
}
