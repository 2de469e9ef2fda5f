using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Forecast;

/// <summary>All that a node foresees of itself: told once a second, it warns of overload and of failure. Pure: no clock; a fixed amount of memory,
/// about 25 kB.</summary>
public sealed class NodeForecast
{
    private static readonly TimeSpan ViewInterval = TimeSpan.FromSeconds(10);

    private readonly OverloadForecast _overload = new();
    private readonly FailureForecast _failure = new();
    private Instant _nextView;

    public OverloadForecast Overload => _overload;

    public FailureForecast Failure => _failure;

    /// <summary>What goes into the offer: what will be free less within <see cref="Outlook.Horizon"/>, by the middle of the forecast.</summary>
    public Outlook Outlook => _overload.Outlook with { Failure = _failure.Score };

    public void CopyEnded(WorkloadId id, Instant now) => _failure.CopyEnded(id, now);

    /// <param name="secondOfDay">0-86399 of any time zone that stays; <c>null</c> while the clock is not trusted.</param>
    /// <returns>Which warnings began or ended.</returns>
    public (bool Overload, bool Failure) Observe(ResourceReading reading, HealthReading health, int? secondOfDay, bool overloaded, Instant now)
    {
        var overload = _overload.Observe(reading, secondOfDay, overloaded, now);
        var failure = _failure.Observe(health, _overload.MemoryExhaustion, _overload.Leaks, now);
        if (overload || failure || View is null || now >= _nextView)
        {
            View = new ForecastView(
                [_overload.Cpu, _overload.Memory, _overload.Disk], _overload.IsForeseen, _overload.Why, _failure.Score, _failure.IsForeseen, _failure.Why);
            _nextView = now + ViewInterval;
        }
        return (overload, failure);
    }

    /// <summary>For people: every resource, at several horizons, at most ten seconds old; <c>null</c> before the first reading.</summary>
    public ForecastView? View { get; private set; }

    /// <summary>For events.</summary>
    public IReadOnlyDictionary<string, double> Figures
    {
        get
        {
            var figures = new Dictionary<string, double> { ["failure"] = Math.Round(_failure.Score, 3) };
            foreach (var resource in View?.Resources ?? [])
            {
                figures[$"{resource.Name}Percent"] = Math.Round(resource.Used * 100, 1);
                figures[$"{resource.Name}PercentAMinute"] = Math.Round(resource.PerMinute * 100, 3);
                if (resource.Exhaustion is { } exhaustion)
                    figures[$"{resource.Name}ExhaustedSeconds"] = Math.Round(exhaustion.TotalSeconds);
            }
            return figures;
        }
    }
}

/// <param name="OverloadWhy">Empty when none is foreseen.</param>
/// <param name="FailureWhy">Signs, also while they are too weak to be believed.</param>
public sealed record ForecastView(
    IReadOnlyList<ResourceOutlook> Resources, bool OverloadForeseen, string OverloadWhy, double FailureScore, bool FailureForeseen, string FailureWhy);
