namespace EdgeFirmware.Mesh.Forecast;

/// <summary>A straight line through the recent past, told from now on.</summary>
/// <param name="Level">Where the line is now.</param>
/// <param name="Slope">Per second.</param>
/// <param name="SlopeError">Standard error of the slope, widened for residuals that resemble their neighbours.</param>
/// <param name="Noise">Standard deviation of the residuals.</param>
/// <param name="Span">Seconds that the line was seen for: it is trusted no longer ahead.</param>
internal readonly record struct TrendLine(double Level, double Slope, double SlopeError, double Noise, double Span)
{
    /// <summary>A trend seen for a minute says little of the next hour: it fades with the time it was seen (damped trend, Gardner and McKenzie 1985).</summary>
    public double Ahead(double seconds) => Span <= 0 ? 0 : Span * (1 - Math.Exp(-seconds / Span));

    public double At(double seconds) => Level + (Slope * Ahead(seconds));

    /// <summary>Half-width of one standard deviation around <see cref="At"/>.</summary>
    public double DeviationAt(double seconds)
    {
        var drift = SlopeError * Ahead(seconds);
        return Math.Sqrt((Noise * Noise) + (drift * drift));
    }

    /// <param name="fades">As in <see cref="At"/>; what approaches a balance (heat) takes longer than a straight line.</param>
    /// <returns>Seconds until the line meets <paramref name="limit"/>, 0 when it is there, <c>null</c> when that is beyond what the line is trusted for.</returns>
    public double? Until(double limit, double slope, bool fades)
    {
        if (Level >= limit)
            return 0;
        var straight = (limit - Level) / slope;
        if (!fades)
            return slope > 0 && straight < Span * 1.5 ? straight : null;
        return slope > 0 && straight < Span * 0.95 ? -Span * Math.Log(1 - (straight / Span)) : null;
    }
}
