namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Foresees one series, told once a second, by lines over minutes, an hour, hours and days, and by the time of day. What counts is what
/// overload is judged by: the highest value that lasted for three seconds. About 5 kB, whatever it has seen.</summary>
/// <param name="limit">Where the resource is exhausted.</param>
/// <param name="troughs">Slower lines go through the lows: memory that is given back again is no leak.</param>
internal sealed class ResourceTrend(double limit, bool troughs)
{
    public const double BucketSeconds = 10;

    /// <summary>Readings that are farther apart than this are not of one piece: the process was suspended.</summary>
    private const double GapSeconds = 5;

    /// <summary>Readings in a row that must be high for an overload: <see cref="Advertisement.OverloadDetector.Sustained"/> at one a second.</summary>
    private const int SustainedReadings = 4;

    private const double Swing = 0.08;
    private const int BlockValues = 30;
    private const int BlocksKept = 24;
    private const double ReversalMemory = 6 * 3600;

    private readonly Pace[] _paces = [new(1, 30), new(6, 30), new(60, 36), new(360, 48)];
    private readonly Reversals _reversals = new();
    private readonly DayProfile _day = new();
    private readonly double[] _last = new double[SustainedReadings];
    private int _inRow;
    private double _bucketEnd = double.NegativeInfinity;
    private double _highest;
    private int _count;
    private double _at = double.NegativeInfinity;
    private int? _second;
    private double _blockHigh;
    private int _block;
    private int _blocks;

    /// <summary>Windows that are tried, the longest first: pace and number of values.</summary>
    private static readonly (int Pace, int Count)[] Windows = [(3, 48), (3, 12), (2, 36), (2, 12), (1, 30), (1, 15), (0, 30), (0, 18), (0, 9)];

    public double Limit => limit;

    /// <summary>The last value of ten seconds.</summary>
    public double Last { get; private set; }

    /// <summary>Level, slope and noise now; without a trend the slope is 0.</summary>
    public TrendLine Line { get; private set; }

    /// <summary>Enough was seen to speak of noise.</summary>
    public bool IsReady => _paces[0].Window.Count >= ForecastTuning.FirstWindow;

    /// <summary>Where it turned before, see <see cref="Reversals"/>.</summary>
    public double? Ceiling { get; private set; }

    public bool HasSeason => _second is not null && _day.IsProved;

    /// <param name="value">A share of the limit's unit; not a number is not seen.</param>
    /// <param name="at">Seconds, growing.</param>
    /// <returns>Whether a bucket has ended and the view has changed.</returns>
    public bool Observe(double value, double at, int? secondOfDay)
    {
        if (!double.IsFinite(value) || at <= _at)
            return false;
        value = Math.Clamp(value, 0, 2);
        var gap = at - _at;
        _at = at;
        if (gap > GapSeconds)
        {
            Interrupted(gap);
            _bucketEnd = at + BucketSeconds;
            return false; // what it tells is of the time before as well
        }
        for (var i = SustainedReadings - 1; i > 0; i--)
            _last[i] = _last[i - 1];
        _last[0] = value;
        _inRow++;
        if (_inRow >= SustainedReadings)
        {
            var lasting = Math.Min(Math.Min(_last[0], _last[1]), Math.Min(_last[2], _last[3]));
            _highest = _count == 0 ? lasting : Math.Max(_highest, lasting);
            _count++;
        }
        if (at < _bucketEnd)
            return false;
        _bucketEnd += BucketSeconds;
        if (_count < BucketSeconds / 2)
        {
            _count = 0;
            return false;
        }
        Close(_highest, at, secondOfDay);
        return true;
    }

    /// <summary>What is expected <paramref name="seconds"/> from now, with one standard deviation.</summary>
    public (double Value, double Deviation) At(double seconds)
    {
        var line = (Value: Capped(Line.At(seconds)), Deviation: Line.DeviationAt(seconds));
        if (_second is not { } second || !_day.TryExpect(second + (int)seconds, out var peak, out var deviation))
            return (Math.Max(0, line.Value), line.Deviation);
        // The nearer it is, the more the present tells; beyond the line's reach the day does.
        var near = Math.Exp(-seconds / DayProfile.BinSeconds);
        return (Math.Max(0, (near * line.Value) + ((1 - near) * peak)), (near * line.Deviation) + ((1 - near) * Math.Max(deviation * 1.25, line.Deviation)));
    }

    /// <summary>Highest value that the time of day lets expect within <paramref name="seconds"/>, less what it has erred by.</summary>
    /// <returns><c>null</c> when days have shown nothing yet.</returns>
    public double? SeasonPeak(double seconds)
    {
        if (_second is not { } second)
            return null;
        double? highest = null;
        for (var ahead = DayProfile.BinSeconds - (second % DayProfile.BinSeconds); ahead <= seconds; ahead += DayProfile.BinSeconds)
            if (_day.TryExpect(second + ahead, out var peak, out var deviation) && peak - deviation > (highest ?? 0))
                highest = peak - deviation;
        return highest;
    }

    /// <summary>Seconds until the limit by the line, or by the time of day when that is sooner.</summary>
    /// <param name="upper">By the upper edge of the band (one and a half standard errors) instead of its middle.</param>
    public double? Until(bool upper, bool fades = false)
    {
        var line = Ceiling is { } ceiling && Line.Level < ceiling && ceiling < limit
            ? null
            : Line.Until(limit - (upper ? Line.Noise : 0), Line.Slope + (upper && Line.Slope > 0 ? 1.5 * Line.SlopeError : 0), fades);
        if (_second is not { } second || !_day.IsProved)
            return line;
        for (var ahead = DayProfile.BinSeconds - (second % DayProfile.BinSeconds); ahead < 86400; ahead += DayProfile.BinSeconds)
            if (_day.TryExpect(second + ahead, out var peak, out var deviation) && peak + (upper ? deviation : -deviation) >= limit)
                return line < ahead ? line : ahead;
        return line;
    }

    /// <summary>Slope of the lows over hours, a second; 0 unless it is a trend.</summary>
    public double LongSlope()
    {
        for (var i = 0; i < Windows.Length && Windows[i].Pace >= 2; i++)
            if (_paces[Windows[i].Pace].Window.TryLine(Windows[i].Count, _at, ForecastTuning.Significance, out var line))
                return line.Slope;
        return 0;
    }

    /// <summary>How many of the next <paramref name="seconds"/>' buckets are expected beyond the limit.</summary>
    public double Exceedances(double seconds)
    {
        if (!IsReady)
            return 0;
        var slope = Line.Slope > 0 ? Math.Max(0, Line.Slope - (ForecastTuning.Caution * Line.SlopeError)) : Line.Slope;
        var noise = Math.Max(Line.Noise, 0.004);
        var sum = 0.0;
        for (var ahead = BucketSeconds; ahead <= seconds; ahead += BucketSeconds)
            sum += Tail((limit - Capped(Line.Level + (slope * Line.Ahead(ahead)))) / noise);
        return sum;
    }

    /// <summary>How far above its line the series usually gets within five minutes.</summary>
    public double UsualHigh { get; private set; }

    /// <summary>Not falling, it may exceed the limit within five minutes by its usual noise. Only after a quarter of an hour; noise reaches the limit long
    /// before a slow line does.</summary>
    public bool ComesClose(double spare) =>
        _blocks >= 3 && !(Ceiling + UsualHigh < limit) && Line.Slope >= 0 && UsualHigh < ForecastTuning.NoiseMax
        && Line.Level + UsualHigh + spare > limit;

    private double Capped(double value) => Ceiling is { } ceiling && ceiling < limit ? Math.Min(value, Math.Max(Line.Level, ceiling)) : value;

    private void Interrupted(double gap)
    {
        (_inRow, _count, _second) = (0, 0, null);
        _day.Observe(null, 0);
        foreach (var pace in _paces)
            pace.Interrupt(gap);
        if (_paces[0].Window.Count == 0)
            Line = default;
    }

    private void Close(double value, double at, int? secondOfDay)
    {
        _count = 0;
        Last = value;
        _second = secondOfDay is >= 0 and < 86400 ? secondOfDay : null;
        foreach (var pace in _paces)
            pace.Add(at, value, troughs);
        _reversals.Observe(at, value, Math.Clamp(5 * Line.Noise, Swing, 0.25));
        _day.Observe(secondOfDay, value);
        Ceiling = _reversals.Ceiling(at, ReversalMemory) is { } ceiling && value < ceiling + 0.02 ? ceiling : null;
        if (IsReady)
            Learn(value - Line.At(BucketSeconds));
        Line = BestLine(at);
    }

    /// <summary>Block maxima: the noise's law need not be known to know how far it usually gets within five minutes. What is far off that is a
    /// step and no noise.</summary>
    private void Learn(double above)
    {
        _blockHigh = Math.Max(_blockHigh, above);
        if (++_block < BlockValues)
            return;
        var high = _blocks < 3 ? _blockHigh : Math.Min(_blockHigh, (2 * UsualHigh) + 0.005);
        _blocks = Math.Min(_blocks + 1, BlocksKept);
        UsualHigh += (high - UsualHigh) / _blocks;
        (_block, _blockHigh) = (0, 0);
    }

    /// <summary>The line that was seen longest and is where the series is now, else the level since its last step.</summary>
    private TrendLine BestLine(double now)
    {
        var fine = _paces[0].Window;
        var (level, noise) = fine.Steps(Math.Min(fine.Count, 30));
        var recent = fine.Mean(Math.Min(3, fine.Count));
        foreach (var (pace, count) in Windows)
        {
            if (!_paces[pace].Window.TryLine(count, now, count < 12 ? ForecastTuning.ShortSignificance : ForecastTuning.Significance, out var line))
                continue;
            var own = pace == 0 ? line.Noise : Math.Min(noise, Math.Max(line.Noise, fine.TryLine(Math.Min(fine.Count, 18), now, 0, out var near) ? near.Noise : noise));
            if (Math.Abs(line.Level - (line.Slope * BucketSeconds) - recent) > (ForecastTuning.Agreement * own) + 0.005)
                continue; // it has bent since
            return line with { Noise = own };
        }
        return new TrendLine(level, 0, 0, noise, 0);
    }

    /// <summary>Upper tail of the normal distribution (Abramowitz and Stegun 26.2.17, error below 1e-7).</summary>
    private static double Tail(double z)
    {
        if (z < 0)
            return 1 - Tail(-z);
        var t = 1 / (1 + (0.2316419 * z));
        var series = t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return Math.Exp(-z * z / 2) * 0.3989422804 * series;
    }
}
