namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>Processes killed for want of memory: in the cgroup that bounds the node where that counts its descendants too (cgroup v2,
/// <c>memory.events</c>, Documentation/admin-guide/cgroup-v2.rst), else on the whole machine (<c>oom_kill</c> in <c>/proc/vmstat</c>). v1's
/// <c>memory.oom_control</c> counts only its own processes, and containers have cgroups of their own.</summary>
internal sealed class OomKills(string root) : IDisposable
{
    private KernelFile? _file;
    private string _path = "";
    private RisingCount _count;
    private bool _changed;

    /// <param name="limit">The nearest cgroup with a memory limit.</param>
    public void Search(MemoryLimitPlace? limit)
    {
        var path = limit is { IsV2: true } ? $"{limit.Directory}/memory.events" : $"{root}/proc/vmstat";
        if (path == _path)
            return;
        _changed = _path.Length > 0;
        Dispose();
        _path = path;
        _file = new KernelFile(path, HealthProbe.ReadingsToRest);
    }

    public long Read(byte[] buffer)
    {
        var value = _file is null ? KernelText.Absent : KernelText.Keyed(_file.ReadWhole(buffer), "oom_kill"u8);
        if (_changed && value >= 0)
            _count.Change(value);
        _changed &= value < 0;
        _count.Observe(value);
        return _count.Total;
    }

    public void Dispose() => _file?.Dispose();
}
