namespace EdgeFirmware.Mesh.Forecast;

/// <summary>The last values of a series at one pace, and lines through them. Holds a fixed number of doubles.</summary>
internal sealed class TrendWindow(int capacity)
{
    /// <summary>Residuals beyond so many deviations pull no harder (Huber 1964).</summary>
    private const double HuberBound = 1.5;

    /// <summary>A line must explain the window this much better than a single step does, or a step would be carried on as a slope.</summary>
    private const double BetterThanStep = 0.6;

    private readonly double[] _at = new double[capacity];
    private readonly double[] _value = new double[capacity];
    private int _next;

    public int Count { get; private set; }

    public void Add(double at, double value)
    {
        _at[_next] = at;
        _value[_next] = value;
        _next = (_next + 1) % capacity;
        Count = Math.Min(Count + 1, capacity);
    }

    public void Clear() => Count = 0;

    /// <summary>Mean of the last <paramref name="count"/>.</summary>
    public double Mean(int count)
    {
        var sum = 0.0;
        for (var i = 0; i < count; i++)
            sum += Value(i);
        return count == 0 ? 0 : sum / count;
    }

    /// <summary>The level since the last step among the last <paramref name="count"/> values, and the noise around both sides of it.</summary>
    public (double Level, double Noise) Steps(int count)
    {
        var (squares, level) = Step(count);
        return (level, Math.Sqrt(squares / Math.Max(1, count - 2)));
    }

    /// <summary>Least squares, once more with outliers weighed down.</summary>
    /// <param name="count">Of the last values; at least 4.</param>
    /// <param name="now">Seconds; the line's level is told for it.</param>
    /// <returns><c>false</c> when a step or nothing at all explains the values better.</returns>
    public bool TryLine(int count, double now, double significance, out TrendLine line)
    {
        line = default;
        if (Count < count)
            return false;
        var (level, slope, spread, squares) = Weigh(count, now, default, double.PositiveInfinity);
        // What fits exactly must not weigh its own rounding.
        var bound = Math.Max(HuberBound * Math.Sqrt(squares / count), 1e-6);
        (level, slope, spread, _) = Weigh(count, now, (level, slope), bound);
        if (spread <= 0)
            return false;
        var (noise, likeness, plain) = Residuals(count, now, level, slope);
        var error = noise / Math.Sqrt(spread) * Math.Sqrt((1 + likeness) / (1 - likeness));
        line = new TrendLine(level, slope, error, noise, At(0) - At(count - 1));
        return Math.Abs(slope) > significance * error && plain < BetterThanStep * Step(count).Squares;
    }

    private double At(int back) => _at[(_next - 1 - back + (2 * capacity)) % capacity];

    private double Value(int back) => _value[(_next - 1 - back + (2 * capacity)) % capacity];

    private (double Level, double Slope, double Spread, double Squares) Weigh(int count, double now, (double Level, double Slope) before, double bound)
    {
        double weights = 0, sumX = 0, sumY = 0;
        for (var i = 0; i < count; i++)
        {
            var w = Weight(i, now, before, bound);
            weights += w;
            sumX += w * (At(i) - now);
            sumY += w * Value(i);
        }
        double meanX = sumX / weights, meanY = sumY / weights, xx = 0, xy = 0, yy = 0;
        for (var i = 0; i < count; i++)
        {
            var w = Weight(i, now, before, bound);
            double x = At(i) - now - meanX, y = Value(i) - meanY;
            xx += w * x * x;
            xy += w * x * y;
            yy += w * y * y;
        }
        var slope = xx > 0 ? xy / xx : 0;
        return (meanY - (slope * meanX), slope, xx, Math.Max(0, yy - (slope * xy)));
    }

    private double Weight(int i, double now, (double Level, double Slope) before, double bound)
    {
        if (double.IsPositiveInfinity(bound))
            return 1;
        var off = Math.Abs(Value(i) - before.Level - (before.Slope * (At(i) - now)));
        return off <= bound ? 1 : bound / off;
    }

    /// <summary>Noise; how much a residual resembles the one before, 0-0.9; sum of squares.</summary>
    private (double Noise, double Likeness, double Squares) Residuals(int count, double now, double level, double slope)
    {
        double squares = 0, products = 0, before = 0;
        for (var i = 0; i < count; i++)
        {
            var off = Value(i) - level - (slope * (At(i) - now));
            squares += off * off;
            products += i == 0 ? 0 : off * before;
            before = off;
        }
        return (Math.Sqrt(squares / (count - 2)), squares > 0 ? Math.Clamp(products / squares, 0, 0.9) : 0, squares);
    }

    /// <summary>Two levels with the step where it explains most.</summary>
    private (double Squares, double LevelAfter) Step(int count)
    {
        double sum = 0, all = 0;
        for (var i = 0; i < count; i++)
        {
            sum += Value(i);
            all += Value(i) * Value(i);
        }
        double late = 0, best = double.PositiveInfinity, level = sum / count;
        for (var i = 1; i < count; i++)
        {
            late += Value(i - 1);
            var early = sum - late;
            var squares = all - (late * late / i) - (early * early / (count - i));
            if (squares >= best)
                continue;
            best = squares;
            level = late / i;
        }
        return (Math.Max(0, double.IsPositiveInfinity(best) ? 0 : best), level);
    }
}
