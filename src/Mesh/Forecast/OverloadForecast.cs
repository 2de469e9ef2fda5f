using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Warns of an overload as <see cref="OverloadDetector"/> defines it, before it is there: by trend, and by the time of day once that has
/// proved itself. Bursts that nothing announces are not foreseen. Pure; holds a fixed amount of memory.</summary>
public sealed class OverloadForecast
{
    /// <summary>A warning ends when nothing has spoken for it for so long.</summary>
    private const double CalmSeconds = 240;

    /// <summary>A firmware that has left less than this cannot take an image (<see cref="OfferCalculator.DiskReserveBytes"/>).</summary>
    private const double DiskFreeLow = 0.02;

    private readonly ResourceTrend _cpu = new(OverloadDetector.CpuLoadHigh, troughs: false);
    private readonly ResourceTrend _memory = new(1 - OverloadDetector.MemoryFreeLow, troughs: true);
    private readonly ResourceTrend _disk = new(1 - DiskFreeLow, troughs: true);
    private Instant? _origin;
    private ResourceReading _reading;
    private double _calmSince;

    /// <summary>An overload is expected within minutes, and is not there yet.</summary>
    public bool IsForeseen { get; private set; }

    /// <summary>What will be short, in words with numbers; empty when nothing is foreseen.</summary>
    public string Why { get; private set; } = "";

    /// <param name="secondOfDay">Of any time zone; <c>null</c> while the clock is not trusted.</param>
    /// <param name="overloaded">It is there: there is nothing to warn of.</param>
    /// <returns>Whether <see cref="IsForeseen"/> changed.</returns>
    public bool Observe(ResourceReading reading, int? secondOfDay, bool overloaded, Instant now)
    {
        _origin ??= now;
        _reading = reading;
        var at = (now - _origin.Value).TotalSeconds;
        var looked = _cpu.Observe(reading.CpuLoad, at, secondOfDay);
        looked |= _memory.Observe(Used(reading.MemoryFreeBytes, reading.MemoryBytes), at, secondOfDay);
        _disk.Observe(Used(reading.DiskFreeBytes, reading.DiskBytes), at, secondOfDay);
        var before = IsForeseen;
        if (overloaded)
        {
            IsForeseen = false;
        }
        else if (looked)
            Look(at);
        if (looked)
        {
            Outlook = Foresee();
            MemoryExhaustion = Span(_memory.Until(upper: false));
            Leaks = _memory.LongSlope() > 0;
        }
        if (!IsForeseen)
            Why = "";
        return before != IsForeseen;
    }

    public ResourceOutlook Cpu => View("cpu", _cpu, _reading.CpuCores, share: _reading.CpuLoad);

    public ResourceOutlook Memory => View("memory", _memory, _reading.MemoryBytes, Used(_reading.MemoryFreeBytes, _reading.MemoryBytes));

    public ResourceOutlook Disk => View("disk", _disk, _reading.DiskBytes, Used(_reading.DiskFreeBytes, _reading.DiskBytes));

    /// <summary>What will be free less within <see cref="Outlook.Horizon"/>, and what runs out first; says nothing of failures.</summary>
    public Outlook Outlook { get; private set; }

    /// <summary>When memory runs out by its trend.</summary>
    internal TimeSpan? MemoryExhaustion { get; private set; }

    /// <summary>The lows of memory use have grown for hours.</summary>
    internal bool Leaks { get; private set; }

    private Outlook Foresee()
    {
        var horizon = Outlook.Horizon.TotalSeconds;
        var cpu = Math.Clamp(_cpu.At(horizon).Value - _cpu.Line.Level, 0, 1);
        var memory = Math.Clamp(_memory.At(horizon).Value - _memory.Line.Level, 0, 1);
        var first = Sooner(Sooner(_cpu.Until(upper: false), _memory.Until(upper: false)), _disk.Until(upper: false));
        return new Outlook(_cpu.IsReady ? cpu * _reading.CpuCores : 0, _memory.IsReady ? (long)(memory * _reading.MemoryBytes) : 0, Span(first), 0);
    }

    private void Look(double at)
    {
        var cpu = Reason(_cpu, "CPU", IsForeseen);
        var memory = Reason(_memory, "memory", IsForeseen);
        var why = cpu.Length > 0 ? cpu : memory;
        if (why.Length > 0)
        {
            Why = why;
            _calmSince = at;
            IsForeseen = true;
        }
        else
        {
            IsForeseen &= at - _calmSince < CalmSeconds;
        }
    }

    private static string Reason(ResourceTrend trend, string name, bool keep)
    {
        var now = trend.Line.Level;
        if (trend.Exceedances(ForecastTuning.WarningSeconds) > (keep ? ForecastTuning.Keep : ForecastTuning.Begin)
            || trend.ComesClose(keep ? ForecastTuning.KeepClose : -ForecastTuning.BeginClose))
            return trend.Until(upper: false) is { } seconds and > 0
                ? $"{name} at {now * 100:0} % grows {trend.Line.Slope * 6000:0.0} % a minute: {trend.Limit * 100:0} % in about {seconds:0} s"
                : $"{name} at {now * 100:0} % varies by up to {trend.UsualHigh * 100:0} %, so close to {trend.Limit * 100:0} %";
        return now < trend.Limit && trend.SeasonPeak(ForecastTuning.SeasonSeconds) is { } peak && peak > trend.Limit
            ? $"{name} reached {Math.Min(1, peak) * 100:0} % at this time on days before"
            : "";
    }

    private static ResourceOutlook View(string name, ResourceTrend trend, double total, double share)
    {
        var at = new ForecastPoint[ResourceOutlook.Horizons.Length];
        for (var i = 0; i < at.Length; i++)
        {
            var (value, deviation) = trend.At(ResourceOutlook.Horizons[i].TotalSeconds);
            at[i] = new ForecastPoint(
                ResourceOutlook.Horizons[i], Math.Clamp(value, 0, 1), Math.Clamp(value - (ResourceOutlook.Band * deviation), 0, 1), Math.Clamp(value + (ResourceOutlook.Band * deviation), 0, 1));
        }
        return new ResourceOutlook(
            name, total, share, trend.Last, trend.Limit, trend.Line.Slope * 60, trend.Line.Noise, at, Span(trend.Until(upper: false)), Span(trend.Until(upper: true)), trend.IsReady,
            trend.HasSeason);
    }

    private static double? Sooner(double? a, double? b) => a is null || b < a ? b : a;

    private static double Used(long free, long total) => total <= 0 || free < 0 ? double.NaN : 1 - (Math.Min(free, total) / (double)total);

    private static TimeSpan? Span(double? seconds) => seconds is { } s && s < TimeSpan.FromDays(365).TotalSeconds ? TimeSpan.FromSeconds(s) : null;
}
