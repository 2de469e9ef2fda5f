using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Forecast;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>Something that says each second whether trouble is ahead.</summary>
public interface IWarner
{
    string Name { get; }

    /// <param name="overloaded">It is there already.</param>
    bool Warns(in TraceStep step, bool overloaded, Instant now);
}

/// <summary>The node's own forecast.</summary>
public sealed class Foresight : IWarner
{
    private static readonly WorkloadId[] Workloads = [.. Enumerable.Range(0, 3).Select(i => WorkloadId.Of("user", $"w{i}"))];

    private readonly bool _failure;

    public Foresight(bool failure) => _failure = failure;

    public string Name => "forecast";

    public NodeForecast Forecast { get; } = new();

    public bool Warns(in TraceStep step, bool overloaded, Instant now)
    {
        if (step.CopyEnded is { } workload)
            Forecast.CopyEnded(Workloads[workload], now);
        Forecast.Observe(step.Reading, step.Health, step.SecondOfDay, overloaded, now);
        return _failure ? Forecast.Failure.IsForeseen : Forecast.Overload.IsForeseen;
    }
}

/// <summary>What most monitoring does: a figure beyond a threshold for three seconds.</summary>
public sealed class StaticThreshold(double overload, double celsius, int errors) : IWarner
{
    private readonly CounterWindow _errors = new(3600);
    private readonly CounterWindow _kills = new(3600);
    private readonly CounterWindow _dips = new(3600);
    private Hold _hold;
    private int _high;
    private long _dipSeconds;

    public string Name => "static threshold";

    public bool Warns(in TraceStep step, bool overloaded, Instant now)
    {
        _dipSeconds += step.Health.UnderVoltage ? 1 : 0;
        var high = Math.Max(step.Reading.CpuLoad, Share.Memory(step)) > overload || step.Health.Celsius > celsius;
        _high = high ? _high + 1 : 0;
        var counts = _errors.Since(step.Health.StorageErrors) >= errors || _kills.Since(step.Health.OomKills) >= errors || _dips.Since(_dipSeconds) >= 10 * errors;
        return _hold.Keep((_high >= 3 || counts) && !overloaded, overloaded);
    }
}

/// <summary>The last value and how it moved over some seconds, carried on in a straight line.</summary>
public sealed class LastSlope(int window, double ahead, bool overloads) : IWarner
{
    private readonly double[] _cpu = new double[window];
    private readonly double[] _memory = new double[window];
    private readonly double[] _celsius = new double[window];
    private readonly CounterWindow _errors = new(1800);
    private readonly CounterWindow _kills = new(1800);
    private readonly CounterWindow _dips = new(1800);
    private double _smoothCpu = double.NaN;
    private double _smoothMemory;
    private double _smoothCelsius;
    private Hold _hold;
    private int _next;
    private int _count;
    private long _dipSeconds;

    public string Name => "last slope";

    public bool Warns(in TraceStep step, bool overloaded, Instant now)
    {
        if (double.IsNaN(_smoothCpu))
            (_smoothCpu, _smoothMemory, _smoothCelsius) = (step.Reading.CpuLoad, Share.Memory(step), step.Health.Celsius ?? 0);
        // Over ten seconds: single values are too rough for any slope.
        _smoothCpu += 0.1 * (step.Reading.CpuLoad - _smoothCpu);
        _smoothMemory += 0.1 * (Share.Memory(step) - _smoothMemory);
        _smoothCelsius += 0.1 * ((step.Health.Celsius ?? 0) - _smoothCelsius);
        _dipSeconds += step.Health.UnderVoltage ? 1 : 0;
        var critical = step.Health.CriticalCelsius ?? 90;
        var warns = _count >= window
            && (overloads ? Crosses(_smoothCpu, _cpu[_next], 0.92) || Crosses(_smoothMemory, _memory[_next], 0.92) : Crosses(_smoothCelsius, _celsius[_next], critical));
        (_cpu[_next], _memory[_next], _celsius[_next]) = (_smoothCpu, _smoothMemory, _smoothCelsius);
        _next = (_next + 1) % window;
        _count++;
        // Counters: as many again in the next half hour would be too many.
        var counts = _errors.Since(step.Health.StorageErrors) >= 5 || _kills.Since(step.Health.OomKills) >= 3 || _dips.Since(_dipSeconds) >= 60;
        warns |= !overloads && counts;
        return _hold.Keep(warns && !overloaded, overloaded);
    }

    private bool Crosses(double value, double before, double limit) => value < limit && value + ((value - before) / window * ahead) > limit;
}

internal static class Share
{
    public static double Memory(in TraceStep step) => 1 - (step.Reading.MemoryFreeBytes / (double)step.Reading.MemoryBytes);
}

/// <summary>A warning lasts four minutes at least, as the forecast's do, and ends with what it warned of.</summary>
internal struct Hold
{
    private int _left;

    public bool Keep(bool warns, bool overloaded)
    {
        _left = overloaded ? 0 : warns ? 240 : Math.Max(0, _left - 1);
        return _left > 0;
    }
}

/// <summary>How much a counter grew within the last seconds.</summary>
internal sealed class CounterWindow(int seconds)
{
    private readonly long[] _values = new long[seconds];
    private int _next;
    private int _count;

    public long Since(long value)
    {
        var old = _count < seconds ? _values[0] : _values[_next];
        if (_count == 0)
            old = value;
        _values[_next] = value;
        _next = (_next + 1) % seconds;
        _count++;
        return value - old;
    }
}
