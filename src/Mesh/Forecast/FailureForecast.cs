using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Forecast;

/// <summary>How likely it is that this machine fails soon, from what it says of itself. Each sign gives a likelihood; they add as independent
/// ones do: <c>1 - Π(1 - p)</c>. Pure; holds a fixed amount of memory.</summary>
public sealed class FailureForecast
{
    /// <summary>Where the kernel cuts the power when its driver does not say: a Raspberry Pi slows down from 80 °C and most sensors' last trip is
    /// at 90 °C or more.</summary>
    public const double CriticalCelsius = 90;

    private const double BeginScore = 0.7;
    private const double EndScore = 0.5;
    private const double CalmSeconds = 300;
    private const double LookSeconds = 10;

    private readonly ResourceTrend _heat = new(1, troughs: false);
    private readonly RestartLoops _loops = new();
    private readonly Sign[] _signs = new Sign[8];
    private DecayingCount _underVoltage = new(600);
    private DecayingCount _storageErrors = new(2 * 3600);
    private DecayingCount _oomKills = new(900);
    private DecayingCount _clockSteps = new(3600);
    private DecayingCount _slowWrites = new(1800);
    private Instant? _origin;
    private HealthReading? _before;
    private double _usualWrite;
    private int _writes;
    private double _nextLook;
    private double _calmSince;

    /// <summary>0-1.</summary>
    public double Score { get; private set; }

    /// <summary>It is time to leave this machine.</summary>
    public bool IsForeseen { get; private set; }

    /// <summary>The signs, the worst first, in words with numbers; empty when there is none.</summary>
    public string Why { get; private set; } = "";

    /// <summary>A copy of this workload ended here by itself.</summary>
    public void CopyEnded(WorkloadId id, Instant now) => _loops.Ended(id, Seconds(now));

    /// <param name="memoryExhaustion">When memory runs out by its trend, and whether that is the lasting growth of a leak.</param>
    /// <returns>Whether <see cref="IsForeseen"/> changed.</returns>
    public bool Observe(HealthReading reading, TimeSpan? memoryExhaustion, bool leaks, Instant now)
    {
        var at = Seconds(now);
        Count(reading, at);
        _before = reading;
        if (at < _nextLook)
            return false;
        _nextLook = at + LookSeconds;
        Judge(reading, memoryExhaustion, leaks, at);
        var before = IsForeseen;
        if (Score >= BeginScore)
            (IsForeseen, _calmSince) = (true, at);
        else if (Score >= EndScore)
            _calmSince = at;
        else
            IsForeseen &= at - _calmSince < CalmSeconds;
        return before != IsForeseen;
    }

    private double Seconds(Instant now) => (now - (_origin ??= now)).TotalSeconds;

    private void Count(HealthReading reading, double at)
    {
        var critical = reading.CriticalCelsius is { } told && told is > 40 and < 200 ? told : CriticalCelsius;
        if (reading.Celsius is { } celsius && double.IsFinite(celsius) && celsius is > -60 and < 250)
            _heat.Observe(celsius / critical, at, null);
        if (_before is not { } before)
            return; // what happened before the firmware started is not news
        if (reading.UnderVoltage)
            _underVoltage.Add(before.UnderVoltage ? 0.05 : 1, at);
        _storageErrors.Add(Since(before.StorageErrors, reading.StorageErrors), at);
        _oomKills.Add(Since(before.OomKills, reading.OomKills), at);
        _clockSteps.Add(Since(before.ClockSteps, reading.ClockSteps), at);
        // Read less often than every second, a reading is repeated.
        if (reading.StorageBytesWritten != before.StorageBytesWritten && reading.StorageMilliseconds is { } took && double.IsFinite(took) && took >= 0)
            Write(took, at);
    }

    /// <summary>A counter that has gone back started anew with its device; no second counts for more than ten.</summary>
    private static double Since(long before, long now) => Math.Clamp(now - before, 0, 10);

    private void Write(double took, double at)
    {
        if (_writes >= 100 && took > 8 * _usualWrite && took > 250)
            _slowWrites.Add(1, at);
        var bounded = _writes < 10 ? Math.Min(took, 1000) : Math.Min(took, 3 * Math.Max(_usualWrite, 1));
        _usualWrite += (bounded - _usualWrite) / Math.Min(++_writes, 5000);
        _writes = Math.Min(_writes, 5000);
    }

    private void Judge(HealthReading reading, TimeSpan? memoryExhaustion, bool leaks, double at)
    {
        var critical = reading.CriticalCelsius is { } told && told is > 40 and < 200 ? told : CriticalCelsius;
        var (looping, most) = _loops.Look(3, at);
        var errors = _storageErrors.At(at);
        var slow = _slowWrites.At(at);
        var count = 0;
        _signs[count++] = Heat(reading.Celsius, critical);
        _signs[count++] = Sign.Of(Rising(_underVoltage.At(at), 2.2, 0.95), $"under-voltage {_underVoltage.At(at):0.0} times of late");
        _signs[count++] = Sign.Of(1 - ((1 - Rising(errors, 4, 0.95)) * (1 - Rising(slow, 30, 0.6))), $"{errors:0.0} storage errors and {slow:0} slow writes of late");
        _signs[count++] = reading.StorageReadOnly ? Sign.Of(0.8, "the data directory takes no writes") : Wear(reading.StorageLifeUsed);
        _signs[count++] = Sign.Of(Rising(_oomKills.At(at), 2, 0.95), $"{_oomKills.At(at):0.0} processes killed for memory of late");
        _signs[count++] = Leak(memoryExhaustion, leaks);
        _signs[count++] = Sign.Of(looping == 0 ? 0 : Math.Min(0.65, 0.25 + (0.1 * looping) + (0.02 * most)), $"{looping} workloads end again and again");
        _signs[count++] = Sign.Of(Rising(Math.Max(0, _clockSteps.At(at) - 1), 4, 0.5), $"the clock jumped {_clockSteps.At(at):0.0} times of late");
        var well = 1.0;
        foreach (var sign in _signs)
            well *= 1 - sign.Likelihood;
        Score = 1 - well;
        Why = Words();
    }

    private Sign Heat(double? celsius, double critical)
    {
        if (celsius is not { } now || !_heat.IsReady)
            return default;
        var near = _heat.Line.Level;
        // By itself closeness says little: many boards live at 80 °C.
        var likelihood = near >= 0.97 ? 0.75 : near >= 0.94 ? 0.4 : 0;
        var words = $"{now:0} °C of {critical:0} °C";
        if (_heat.Until(upper: false, fades: true) is { } seconds and < 900 && near > 0.75)
        {
            likelihood = Math.Max(likelihood, seconds < 420 ? 0.85 : 0.5);
            words = $"{words}, reached in about {seconds / 60:0} minutes";
        }
        return Sign.Of(likelihood, words);
    }

    private static Sign Wear(double? used) =>
        used is { } share && double.IsFinite(share) && share > 0.8 ? Sign.Of(Math.Min(0.6, (share - 0.8) * 3), $"storage has {share * 100:0} % of its life behind it") : default;

    private static Sign Leak(TimeSpan? exhaustion, bool leaks) => exhaustion is not { } left || left > TimeSpan.FromHours(1)
        ? default
        : Sign.Of((leaks ? 0.45 : 0.2) + (left < TimeSpan.FromMinutes(10) ? 0.1 : 0), $"memory runs out in about {left.TotalMinutes:0} minutes");

    /// <summary>From 0 to <paramref name="most"/>; a little over half of it at <paramref name="half"/>.</summary>
    private static double Rising(double count, double half, double most) => count <= 0 ? 0 : most * (1 - Math.Exp(-count / half * 0.9));

    private string Words()
    {
        var worst = 0;
        for (var i = 1; i < _signs.Length; i++)
            if (_signs[i].Likelihood > _signs[worst].Likelihood)
                worst = i;
        if (_signs[worst].Likelihood < 0.05)
            return "";
        var words = _signs[worst].Words;
        for (var i = 0; i < _signs.Length; i++)
            if (i != worst && _signs[i].Likelihood >= 0.2)
                words = $"{words}; {_signs[i].Words}";
        return words;
    }

    private readonly record struct Sign(double Likelihood, string Words)
    {
        public static Sign Of(double likelihood, string words) => new(Math.Clamp(likelihood, 0, 1), words);
    }
}
