namespace EdgeFirmware.Platform.Memory;

/// <summary>Says when the heap is to be compacted: when it has grown and the process has nothing better to do, and now and then anyway. Pure.</summary>
public sealed class HeapPolicy
{
    /// <summary>Less is not worth stopping for.</summary>
    public const long GrowthBytesMin = 2 << 20;

    /// <summary>Of a core. Above it somebody waits for messages.</summary>
    public const double QuietShare = 0.05;

    public static readonly TimeSpan IntervalMax = TimeSpan.FromMinutes(10);

    private long _heapBytes;
    private TimeSpan _cpu;
    private TimeSpan _at;
    private TimeSpan _compactedAt;

    /// <param name="heapBytes">What the heap takes from the system.</param>
    /// <param name="cpu">What the process has used since it began.</param>
    /// <param name="now">Since any instant.</param>
    public bool IsDue(long heapBytes, TimeSpan cpu, TimeSpan now)
    {
        var isQuiet = cpu - _cpu < QuietShare * (now - _at);
        (_cpu, _at) = (cpu, now);
        return now - _compactedAt >= IntervalMax || (isQuiet && heapBytes - _heapBytes > Math.Max(GrowthBytesMin, _heapBytes / 4));
    }

    /// <param name="heapBytes">What is left: at most a quarter more is garbage when it is looked at again.</param>
    public void Compacted(long heapBytes, TimeSpan now) => (_heapBytes, _compactedAt) = (heapBytes, now);
}
