namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>Counts how often the wall clock was set, by comparing it with the monotonic clock. A machine that was suspended counts too: its
/// monotonic clock stood still, and to its neighbours it was gone.</summary>
internal sealed class ClockWatch(TimeProvider time)
{
    /// <summary>NTP slews at 0.5 ms a second at most (adjtimex(2)); only a step gets this far between two readings.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);

    private long _timestamp = time.GetTimestamp();
    private DateTimeOffset _wall = time.GetUtcNow();

    public long Steps { get; private set; }

    public void Read()
    {
        var timestamp = time.GetTimestamp();
        var wall = time.GetUtcNow();
        if ((wall - _wall - time.GetElapsedTime(_timestamp, timestamp)).Duration() > Step)
            Steps++;
        (_timestamp, _wall) = (timestamp, wall);
    }
}
