namespace EdgeFirmware.Platform.Resources;

/// <summary>Processor figures of a cgroup with a quota: what it used of what it may use, and how often it was held back.</summary>
internal sealed class QuotaCpu : IDisposable
{
    private readonly TimeProvider _time;
    private readonly KernelFile _quota;
    private readonly KernelFile? _period;
    private readonly KernelFile _stat;
    private readonly KernelFile? _usage;
    private readonly KernelFile? _pressure;
    private long _lastTimestamp;
    private long _lastNanoseconds = KernelText.Absent;
    private long _lastPeriods = KernelText.Absent;
    private long _lastThrottled;
    private double _load;
    private double _throttled;

    public QuotaCpu(CpuQuotaPlace place, TimeProvider time)
    {
        _time = time;
        Place = place;
        _stat = new KernelFile($"{place.Directory}/cpu.stat");
        if (place.IsV2)
        {
            _quota = new KernelFile($"{place.Directory}/cpu.max");
            _pressure = new KernelFile($"{place.Directory}/cpu.pressure");
            return;
        }
        _quota = new KernelFile($"{place.Directory}/cpu.cfs_quota_us");
        _period = new KernelFile($"{place.Directory}/cpu.cfs_period_us");
        if (place.AccountingDirectory.Length > 0)
            _usage = new KernelFile($"{place.AccountingDirectory}/cpuacct.usage");
    }

    public CpuQuotaPlace Place { get; }

    /// <returns><c>null</c> when the quota or the cgroup is gone.</returns>
    public CpuReading? Read(CpuReading machine, byte[] buffer)
    {
        var quota = Quota(buffer);
        if (quota <= 0)
            return null;
        var cores = Math.Min(machine.Cores, quota);
        var now = _time.GetTimestamp();
        var stat = _stat.Read(buffer);
        NoteThrottling(KernelText.Keyed(stat, "nr_periods"u8), KernelText.Keyed(stat, "nr_throttled"u8));
        var microseconds = KernelText.Keyed(stat, "usage_usec"u8);
        var nanoseconds = Place.IsV2
            ? (microseconds < 0 ? KernelText.Absent : microseconds * 1000)
            : _usage is null ? KernelText.Absent : KernelText.Number(_usage.Read(buffer));
        NoteUsage(nanoseconds, now, cores);
        // Where nothing counts this cgroup's time, the machine's busy time is an upper bound.
        var load = nanoseconds < 0 ? Math.Min(1, machine.Load * machine.Cores / cores) : _load;
        var pressure = _pressure is null ? 0 : KernelText.Pressure(_pressure.Read(buffer));
        return new CpuReading(cores, load, Math.Max(_throttled, pressure));
    }

    public void Dispose()
    {
        _quota.Dispose();
        _period?.Dispose();
        _stat.Dispose();
        _usage?.Dispose();
        _pressure?.Dispose();
    }

    private double Quota(byte[] buffer)
    {
        if (_period is null)
            return KernelText.CpuMax(_quota.Read(buffer));
        var quota = KernelText.Number(_quota.Read(buffer));
        return KernelText.Cores(quota, KernelText.Number(_period.Read(buffer)));
    }

    private void NoteThrottling(long periods, long throttled)
    {
        if (_lastPeriods >= 0 && periods > _lastPeriods)
            _throttled = Math.Clamp((double)(throttled - _lastThrottled) / (periods - _lastPeriods), 0, 1);
        // No period ran out since: the cgroup was idle, so nothing waited.
        else if (periods == _lastPeriods)
            _throttled = 0;
        _lastPeriods = periods;
        _lastThrottled = throttled;
    }

    private void NoteUsage(long nanoseconds, long now, double cores)
    {
        var elapsed = _time.GetElapsedTime(_lastTimestamp, now).TotalNanoseconds;
        if (nanoseconds >= 0 && _lastNanoseconds >= 0 && elapsed > 0)
            _load = Math.Clamp((nanoseconds - _lastNanoseconds) / (elapsed * cores), 0, 1);
        _lastNanoseconds = nanoseconds;
        _lastTimestamp = now;
    }
}
