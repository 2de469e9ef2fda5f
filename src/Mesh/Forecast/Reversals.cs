namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Remembers how high a series has climbed before it fell again: what has turned twice below the limit (a collector's sawtooth, a
/// neighbour that comes and goes) is not carried on beyond where it turned.</summary>
internal sealed class Reversals
{
    /// <summary>A jump is no climb.</summary>
    private const double ClimbSeconds = 50;

    private readonly double[] _peaks = new double[6];
    private readonly double[] _times = new double[6];
    private int _next;
    private double _low = double.PositiveInfinity;
    private double _lowAt;
    private double _high = double.NegativeInfinity;
    private double _highAt;
    private bool _climbing;

    /// <param name="swing">What is less is noise.</param>
    public void Observe(double at, double value, double swing)
    {
        if (_climbing)
        {
            if (value > _high)
                (_high, _highAt) = (value, at);
            else if (value < _high - swing)
            {
                if (_highAt - _lowAt >= ClimbSeconds)
                {
                    _peaks[_next] = _high;
                    _times[_next] = at;
                    _next = (_next + 1) % _peaks.Length;
                }
                (_climbing, _low, _lowAt) = (false, value, at);
            }
        }
        else if (value <= _low)
            (_low, _lowAt) = (value, at);
        else if (value > _low + swing)
            (_climbing, _high, _highAt) = (true, value, at);
    }

    /// <returns>The highest it has turned at within <paramref name="memory"/> seconds, <c>null</c> when it has not turned twice.</returns>
    public double? Ceiling(double now, double memory)
    {
        var (count, ceiling) = (0, double.NegativeInfinity);
        for (var i = 0; i < _peaks.Length; i++)
            if (_times[i] > 0 && now - _times[i] < memory)
            {
                count++;
                ceiling = Math.Max(ceiling, _peaks[i]);
            }
        return count >= 2 ? ceiling : null;
    }
}
