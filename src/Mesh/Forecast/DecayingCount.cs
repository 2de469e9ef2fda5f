namespace EdgeFirmware.Mesh.Forecast;

/// <summary>How often something happened lately: each time counts one, and half of that a half-life later.</summary>
internal struct DecayingCount(double halfLifeSeconds)
{
    private double _count;
    private double _at;

    public void Add(double times, double at)
    {
        _count = At(at) + times;
        _at = at;
    }

    public readonly double At(double at) => _count <= 0 ? 0 : _count * Math.Pow(2, -Math.Max(0, at - _at) / halfLifeSeconds);
}
