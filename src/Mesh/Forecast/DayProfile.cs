namespace EdgeFirmware.Mesh.Forecast;

/// <summary>What a series reaches at each time of the day, learned from the days before and believed only once it foretold better than the
/// moment before did. 288 bins of five minutes, 2.5 kB.</summary>
internal sealed class DayProfile
{
    public const int BinSeconds = 300;
    private const int Bins = 86400 / BinSeconds;

    /// <summary>Days are forgotten at this rate once some were seen.</summary>
    private const double Learning = 0.3;

    /// <summary>Errors are compared over about a day.</summary>
    private const double Comparing = 1.0 / Bins;

    private const int DaysNeeded = 2;

    private readonly float[] _peak = new float[Bins];
    private readonly float[] _deviation = new float[Bins];
    private readonly byte[] _days = new byte[Bins];
    private int _bin = -1;
    private int _count;
    private double _highest;
    private double? _before;
    private double _ownError;
    private double _lastValueError;

    /// <summary>Its squared error is well below that of "as it was five minutes ago".</summary>
    public bool IsProved { get; private set; }

    /// <param name="secondOfDay">Any time zone, as long as it stays; <c>null</c> while the clock is not trusted: nothing is learned.</param>
    public void Observe(int? secondOfDay, double value)
    {
        if (secondOfDay is not { } second || second < 0 || second >= 86400)
        {
            _bin = -1;
            _before = null;
            return;
        }
        var bin = second / BinSeconds;
        if (bin != _bin)
        {
            // A bin that was not seen whole, or was left by a jump of the clock, teaches nothing.
            if (_bin >= 0 && bin == (_bin + 1) % Bins && _count >= BinSeconds / 10 * 8 / 10)
                Learn(_bin, _highest);
            else
                _before = null;
            (_bin, _count, _highest) = (bin, 0, double.NegativeInfinity);
        }
        _count++;
        _highest = Math.Max(_highest, value);
    }

    /// <summary>What is expected of the bin at <paramref name="second"/>, in days learned, peak and mean absolute error.</summary>
    /// <returns><c>false</c> while that is not known.</returns>
    public bool TryExpect(int second, out double peak, out double deviation)
    {
        var bin = second / BinSeconds % Bins;
        (peak, deviation) = (_peak[bin], _deviation[bin]);
        return IsProved && _days[bin] >= DaysNeeded;
    }

    private void Learn(int bin, double value)
    {
        if (_days[bin] >= 1)
        {
            var off = value - _peak[bin];
            if (_days[bin] >= 1 && _before is { } before)
            {
                _ownError += Comparing * ((off * off) - _ownError);
                _lastValueError += Comparing * (((value - before) * (value - before)) - _lastValueError);
                // Both rise together from 0, so that their ratio means something early.
                IsProved = _ownError < 0.7 * _lastValueError;
            }
            var rate = Math.Max(Learning, 1.0 / (_days[bin] + 1));
            _deviation[bin] += (float)((_days[bin] == 1 ? 1 : rate) * (Math.Abs(off) - _deviation[bin]));
            _peak[bin] += (float)(rate * off);
        }
        else
            _peak[bin] = (float)value;
        _days[bin] = (byte)Math.Min(_days[bin] + 1, 100);
        _before = value;
    }
}
