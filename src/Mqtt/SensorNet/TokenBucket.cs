namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>So many events in a second, and five seconds' worth at once.</summary>
internal sealed class TokenBucket(int perSecond)
{
    private const int BurstSeconds = 5;

    private double _tokens = BurstSeconds * perSecond;
    private TimeSpan _at;

    public bool TryTake(TimeSpan now)
    {
        _tokens = Math.Min(BurstSeconds * perSecond, _tokens + ((now - _at).TotalSeconds * perSecond));
        _at = now;
        if (_tokens < 1) return false;
        _tokens--;
        return true;
    }
}
