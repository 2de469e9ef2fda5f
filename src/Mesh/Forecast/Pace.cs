namespace EdgeFirmware.Mesh.Forecast;

/// <summary>Every so many ten-second values become one, and the last of those are kept.</summary>
internal sealed class Pace(int values, int kept)
{
    private int _count;
    private double _sum;
    private double _low;
    private double _lowAt;

    public TrendWindow Window { get; } = new(kept);

    public void Add(double at, double value, bool troughs)
    {
        if (_count == 0 || value < _low)
            (_low, _lowAt) = (value, at);
        _sum = _count == 0 ? value : _sum + value;
        if (++_count < values)
            return;
        // A mean is of its middle.
        if (troughs && values > 6)
            Window.Add(_lowAt, _low);
        else
            Window.Add(at - ((values - 1) * ResourceTrend.BucketSeconds / 2), _sum / _count);
        _count = 0;
    }

    /// <summary>Nothing was seen for <paramref name="gap"/> seconds: what is short beside that is no longer the recent past.</summary>
    public void Interrupt(double gap)
    {
        _count = 0;
        if (gap > values * ResourceTrend.BucketSeconds * 3)
            Window.Clear();
    }
}
