namespace EdgeFirmware.Mesh.Forecast;

/// <summary>What is foreseen of one resource. Shares are of <paramref name="Total"/>, 0-1.</summary>
/// <param name="Total">Cores or bytes.</param>
/// <param name="Used">Now.</param>
/// <param name="Lasting">The highest that lasted for three seconds within the last ten: what is forecast.</param>
/// <param name="Limit">Beyond it the resource counts as exhausted.</param>
/// <param name="PerMinute">How fast it grows; 0 without a trend.</param>
/// <param name="Noise">One standard deviation around the trend.</param>
/// <param name="Ahead">At each of <see cref="Horizons"/>.</param>
/// <param name="Exhaustion">By the middle of the forecast; <c>null</c> when it is not seen to end.</param>
/// <param name="Earliest">By the upper edge of its band.</param>
/// <param name="IsReady">False for the first minute and a half: there is no forecast yet.</param>
/// <param name="UsesTimeOfDay">Days before have proved to tell more than the trend.</param>
public sealed record ResourceOutlook(
    string Name,
    double Total,
    double Used,
    double Lasting,
    double Limit,
    double PerMinute,
    double Noise,
    IReadOnlyList<ForecastPoint> Ahead,
    TimeSpan? Exhaustion,
    TimeSpan? Earliest,
    bool IsReady,
    bool UsesTimeOfDay)
{
    /// <summary>Standard deviations on each side: nine of ten values lie between.</summary>
    public const double Band = 1.645;

    internal static readonly TimeSpan[] Horizons = [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2)];
}

/// <param name="Low">Lower edge of the band.</param>
public readonly record struct ForecastPoint(TimeSpan Ahead, double Used, double Low, double High);
