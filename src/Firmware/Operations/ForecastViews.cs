using EdgeFirmware.Mesh.Forecast;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>What the node foresees of itself. Shares are 0-1.</summary>
/// <param name="OverloadWhy">Empty when none is foreseen.</param>
/// <param name="FailureScore">Likelihood that the machine itself fails soon.</param>
/// <param name="FailureWhy">Its signs, also while they are too weak to be believed.</param>
internal sealed record NodeForecastView(
    bool OverloadForeseen, string OverloadWhy, double FailureScore, bool FailureForeseen, string FailureWhy, ResourceForecastView[] Resources)
{
    public static NodeForecastView Of(ForecastView? forecast)
    {
        if (forecast is null)
            return new NodeForecastView(false, "", 0, false, "not measured yet", []);
        var resources = new ResourceForecastView[forecast.Resources.Count];
        for (var i = 0; i < resources.Length; i++)
            resources[i] = ResourceForecastView.Of(forecast.Resources[i]);
        return new NodeForecastView(
            forecast.OverloadForeseen, forecast.OverloadWhy, Math.Round(forecast.FailureScore, 3), forecast.FailureForeseen, forecast.FailureWhy, resources);
    }
}

/// <param name="Name"><c>cpu</c>, <c>memory</c> or <c>disk</c>.</param>
/// <param name="Total">Cores or bytes.</param>
/// <param name="Limit">From here on it counts as exhausted.</param>
/// <param name="ExhaustionSeconds">By the middle of the forecast; absent when it is not seen to end.</param>
/// <param name="EarliestExhaustionSeconds">By the upper edge of its band.</param>
/// <param name="Confidence"><c>none</c> before the first minute and a half, <c>level</c> without a trend, <c>trend</c>, or <c>day</c> when days before tell more.</param>
internal sealed record ResourceForecastView(
    string Name, double Total, double Used, double Limit, double PerHour, double Noise, double? ExhaustionSeconds, double? EarliestExhaustionSeconds,
    string Confidence, ForecastPointView[] Ahead)
{
    public static ResourceForecastView Of(ResourceOutlook resource)
    {
        var ahead = new ForecastPointView[resource.IsReady ? resource.Ahead.Count : 0];
        for (var i = 0; i < ahead.Length; i++)
        {
            var point = resource.Ahead[i];
            ahead[i] = new ForecastPointView(point.Ahead.TotalSeconds, Round(point.Used), Round(point.Low), Round(point.High));
        }
        return new ResourceForecastView(
            resource.Name, resource.Total, double.IsFinite(resource.Used) ? Round(resource.Used) : 0, resource.Limit, Round(resource.PerMinute * 60), Round(resource.Noise),
            Whole(resource.Exhaustion), Whole(resource.Earliest),
            !resource.IsReady ? "none" : resource.UsesTimeOfDay ? "day" : resource.PerMinute == 0 ? "level" : "trend", ahead);
    }

    private static double Round(double share) => Math.Round(share, 4);

    private static double? Whole(TimeSpan? span) => span is { } s ? Math.Round(s.TotalSeconds) : null;
}

/// <param name="Low">Nine of ten values are between this and <paramref name="High"/>.</param>
internal sealed record ForecastPointView(double Seconds, double Used, double Low, double High);
