using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Platform.Resources.Health;
using EdgeFirmware.Platform.Resources.Sensing;

namespace EdgeFirmware.Platform.Resources;

/// <summary>Reads what this node has and uses, for as long as the firmware runs, about once a second, and its health and surroundings less often. A reading allocates next to nothing and
/// never fails: figures that the kernel does not give are 0. For one caller at a time.</summary>
public sealed class ResourceProbe : IResourceProbe, IDisposable
{
    /// <summary>Limits may be set while we run (<c>systemctl set-property</c>, <c>docker update</c>).</summary>
    private static readonly TimeSpan SearchInterval = TimeSpan.FromSeconds(60);

    // The longest file that is needed whole is memory.stat, under 2 kB; of /proc/stat only the first line is.
    private readonly byte[] _buffer = new byte[8 << 10];
    private readonly TimeProvider _time;
    private readonly CgroupSearch _search;
    private readonly MachineCpu _machineCpu;
    private readonly MachineMemory _machineMemory;
    private readonly DriveInfo _drive;
    private QuotaCpu? _quotaCpu;
    private LimitedMemory? _limitedMemory;
    private readonly HealthProbe _health;
    private readonly string _root;
    private IReadOnlyList<string>? _sensors;
    private long _sensorsSearched;
    private long _searched;

    /// <param name="dataDirectory">On the filesystem whose space counts.</param>
    /// <param name="root">What stands for <c>/</c>.</param>
    public ResourceProbe(string dataDirectory, TimeProvider time, string root = "/")
    {
        root = root.TrimEnd('/');
        _root = root;
        _time = time;
        _health = new HealthProbe(dataDirectory, time, root);
        _search = new CgroupSearch(root);
        _machineCpu = new MachineCpu(root);
        _machineMemory = new MachineMemory(root);
        _drive = new DriveInfo(dataDirectory);
        Search(_machineMemory.Read(_buffer).Bytes);
        // The rates of the first reading are since now.
        Read();
    }

    public ResourceReading Read()
    {
        var machineMemory = _machineMemory.Read(_buffer);
        if (_time.GetElapsedTime(_searched) >= SearchInterval)
            Search(machineMemory.Bytes);
        var machineCpu = _machineCpu.Read(_buffer);
        if (_quotaCpu?.Read(machineCpu, _buffer) is not { } cpu)
        {
            cpu = machineCpu;
            Forget(ref _quotaCpu);
        }
        if (_limitedMemory?.Read(machineMemory, _buffer) is not { } memory)
        {
            memory = machineMemory;
            Forget(ref _limitedMemory);
        }
        var (diskBytes, diskFreeBytes) = Disk();
        return new ResourceReading(
            cpu.Cores, cpu.Load, cpu.Pressure, memory.Bytes, memory.FreeBytes, memory.Pressure, diskBytes, diskFreeBytes);
    }

    public HealthReading ReadHealth() => _health.Read(_limitedMemory?.Place);

    public Surroundings ReadSurroundings()
    {
        if (_sensors is null || _time.GetElapsedTime(_sensorsSearched) >= SearchInterval)
        {
            _sensors = new SensorSearch(_root).Read();
            _sensorsSearched = _time.GetTimestamp();
        }
        return new Surroundings(new LinkSearch(_root).Read(), _sensors);
    }

    public void Dispose()
    {
        _machineCpu.Dispose();
        _machineMemory.Dispose();
        _quotaCpu?.Dispose();
        _limitedMemory?.Dispose();
        _health.Dispose();
    }

    /// <summary>A cgroup that is still the one keeps its counters, or its rates would start anew.</summary>
    private void Search(long machineBytes)
    {
        _searched = _time.GetTimestamp();
        if (_search.CpuQuota() is var quota && quota != _quotaCpu?.Place)
        {
            _quotaCpu?.Dispose();
            _quotaCpu = quota is null ? null : new QuotaCpu(quota, _time);
        }
        if (_search.MemoryLimit(machineBytes) is var limit && limit != _limitedMemory?.Place)
        {
            _limitedMemory?.Dispose();
            _limitedMemory = limit is null ? null : new LimitedMemory(limit);
        }
    }

    /// <summary>The limit is gone; another one above may bound us now: look at the next reading.</summary>
    private void Forget<T>(ref T? gauge)
        where T : class, IDisposable
    {
        if (gauge is null)
            return;
        gauge.Dispose();
        gauge = null;
        _searched = _time.GetTimestamp() - (long)(SearchInterval.TotalSeconds * _time.TimestampFrequency);
    }

    private (long Bytes, long FreeBytes) Disk()
    {
        try
        {
            return (_drive.TotalSize, _drive.AvailableFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The data directory is gone, or its filesystem was unmounted.
            return (0, 0);
        }
    }
}
