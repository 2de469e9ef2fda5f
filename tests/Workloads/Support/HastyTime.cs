namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>A clock that runs a hundred times as fast: waiting stays waiting, but costs little.</summary>
internal sealed class HastyTime : TimeProvider
{
    private const int Haste = 100;

    private readonly long _start = System.GetTimestamp();

    public override long GetTimestamp() => _start + ((System.GetTimestamp() - _start) * Haste);

    public override long TimestampFrequency => System.TimestampFrequency;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Hurry(dueTime), Hurry(period));

    private static TimeSpan Hurry(TimeSpan span) => span == Timeout.InfiniteTimeSpan ? span : span / Haste;
}
