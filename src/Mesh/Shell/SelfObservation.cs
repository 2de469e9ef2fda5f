using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;
using EdgeFirmware.Mesh.Forecast;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>What the node sees of itself, and what it offers therefore. Reads the probe: resources at each call, the rest less often.</summary>
internal sealed class SelfObservation(MeshNodeParts parts)
{
    /// <summary>Supply and heat change within seconds, and writes need some time to have a mean duration.</summary>
    private static readonly TimeSpan HealthInterval = TimeSpan.FromSeconds(5);

    /// <summary>A link that fails should be known before the next workload is placed by it.</summary>
    private static readonly TimeSpan SurroundingsInterval = TimeSpan.FromSeconds(10);

    private const int ClockBegins = 2026;

    private readonly ReadingFilter _filter = new(ReadingFilter.Lasting);
    private readonly ReadingFilter _present = new(ReadingFilter.Present);
    private readonly HealthLimit _healthLimit = new();
    private Instant _nextHealth;
    private Instant _nextSurroundings;
    private Surroundings _surroundings = Surroundings.None;
    private ResourceReading _mean;
    private ResourceReading _now;
    private Offer? _announced;
    private Offer? _own;

    public OverloadDetector Overload { get; } = new();

    public ResourceReading Reading { get; private set; }

    public HealthReading Health { get; private set; }

    /// <summary><c>null</c> when none answers.</summary>
    public EngineDescription? Engine { get; set; }

    /// <summary>What the node foresees; told of every reading.</summary>
    public NodeForecast Forecast { get; } = new();

    /// <summary>Which of its warnings began or ended with the last reading.</summary>
    public (bool Overload, bool Failure) Foresight { get; private set; }

    /// <summary>The operator wants the node empty.</summary>
    public bool Draining { get; set; }

    /// <returns>Whether overload began or ended.</returns>
    public bool Measure(Instant now)
    {
        Reading = parts.Probe.Read();
        _mean = _filter.Observe(Reading, now);
        _now = _present.Observe(Reading, now);
        if (_nextHealth <= now)
        {
            _nextHealth = now + HealthInterval;
            Health = parts.Probe.ReadHealth();
            _healthLimit.Observe(Health, now);
        }
        if (_nextSurroundings <= now)
        {
            _nextSurroundings = now + SurroundingsInterval;
            _surroundings = parts.Probe.ReadSurroundings();
        }
        var changed = Overload.Observe(Reading, now);
        Foresight = Forecast.Observe(Reading, Health, SecondOfDay(), Overload.IsOverloaded, now);
        return changed;
    }

    /// <summary>UTC: seasons need a day, not a place. A clock that was never set tells a date before the firmware was made.</summary>
    private int? SecondOfDay()
    {
        var wall = parts.Time.GetUtcNow();
        return wall.Year >= ClockBegins ? (int)wall.TimeOfDay.TotalSeconds : null;
    }

    /// <summary>For the others: of means, less what is promised.</summary>
    public Offer ToAnnounce(Reservation promised) =>
        _announced = OfferCalculator.Calculate(Sources(_mean) with { Promised = promised }, _announced);

    /// <summary>For judging asks here: of the last seconds. Promises are subtracted there; counting them twice would refuse what
    /// fits.</summary>
    public Offer ToJudgeBy() => _own = OfferCalculator.Calculate(Sources(_now), _own);

    private OfferSources Sources(ResourceReading reading) => new(reading, parts.Machine)
    {
        Engine = Engine,
        Overloaded = Overload.IsOverloaded,
        Draining = Draining,
        Health = _healthLimit,
        Outlook = Forecast.Outlook,
        Surroundings = _surroundings,
        Labels = parts.Labels,
    };
}
