namespace EdgeFirmware.Firmware.Tests.Support;

/// <summary>A wall clock that says what the test wants and goes on from there; the monotonic clock and timers are real.</summary>
internal sealed class ShiftedClock(DateTimeOffset start) : TimeProvider
{
    private readonly long _started = System.GetTimestamp();

    /// <summary>A clock that somebody has set.</summary>
    public TimeSpan Jump { get; set; }

    public override DateTimeOffset GetUtcNow() => start + Jump + System.GetElapsedTime(_started);
}
