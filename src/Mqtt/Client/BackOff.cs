namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// How long to wait before connecting again: doubles with each failure up to a bound, and each wait is a random part of it between half
/// and all, so that the clients of a broker that went away do not come back all at once.
/// </summary>
public sealed class BackOff(TimeSpan first, TimeSpan max, Random random)
{
    private TimeSpan? _next;

    /// <param name="lived">
    /// How long the last connection lasted, zero when there was none. One that outlived the wait before it starts anew; one that did not, as when
    /// two clients under one id push each other out, counts as a failure.
    /// </param>
    public TimeSpan Next(TimeSpan lived)
    {
        var longest = _next is { } next && lived <= next ? next : first;
        _next = TimeSpan.FromTicks(Math.Min(2 * longest.Ticks, max.Ticks));
        return longest * (0.5 + (random.NextDouble() / 2));
    }
}
