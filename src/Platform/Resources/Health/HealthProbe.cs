using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>Reads the signs that the machine may fail, every few seconds, for as long as the firmware runs. A reading allocates next to nothing
/// and never fails; devices and drivers are looked for again every minute.</summary>
internal sealed class HealthProbe : IDisposable
{
    /// <summary>A file that cannot be read is tried again after a minute at one reading in 5 s.</summary>
    public const int ReadingsToRest = 12;

    private static readonly TimeSpan SearchInterval = TimeSpan.FromSeconds(60);

    // /proc/vmstat is the longest, under 6 kB.
    private readonly byte[] _buffer = new byte[16 << 10];
    private readonly string _root;
    private readonly string _dataDirectory;
    private readonly TimeProvider _time;
    private readonly ThermalZones _thermal;
    private readonly SupplyVoltage _supply;
    private readonly OomKills _oomKills;
    private readonly ClockWatch _clock;
    private StorageGauge _storage;
    private RisingCount _written;
    private RisingCount _diskErrors;
    private RisingCount _filesystemErrors;
    private long _searched;

    /// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
    public HealthProbe(string dataDirectory, TimeProvider time, string root)
    {
        _root = root;
        _dataDirectory = Path.GetFullPath(dataDirectory);
        _time = time;
        _thermal = new ThermalZones(root);
        _supply = new SupplyVoltage(root);
        _oomKills = new OomKills(root);
        _clock = new ClockWatch(time);
        _storage = new StorageGauge(root, DataDevice.Find(root, _dataDirectory));
        Search();
        // The mean duration of a write in the first reading is since now.
        _storage.Read(_buffer);
    }

    /// <param name="memoryLimit">The cgroup that bounds the node, if one does.</param>
    public HealthReading Read(MemoryLimitPlace? memoryLimit)
    {
        if (_time.GetElapsedTime(_searched) >= SearchInterval)
        {
            Search();
            SearchStorage();
        }
        _oomKills.Search(memoryLimit);
        _clock.Read();
        _storage.Read(_buffer);
        _written.Observe(_storage.WrittenBytes);
        _diskErrors.Observe(_storage.DiskErrors);
        // After an error the filesystem may have become read-only.
        if (_filesystemErrors.Observe(_storage.FilesystemErrors) > 0)
            SearchStorage();
        var (celsius, critical) = _thermal.Read(_buffer);
        return new HealthReading(
            celsius, critical, _supply.IsLow(_buffer), _storage.LifeUsed, _diskErrors.Total + _filesystemErrors.Total, _storage.WriteMilliseconds,
            _written.Total, _oomKills.Read(_buffer), _clock.Steps)
        {
            StorageReadOnly = _storage.Device.ReadOnly,
        };
    }

    public void Dispose()
    {
        _storage.Dispose();
        _thermal.Dispose();
        _supply.Dispose();
        _oomKills.Dispose();
    }

    private void Search()
    {
        _searched = _time.GetTimestamp();
        _thermal.Search();
        _supply.Search();
    }

    /// <summary>A device that is still the one keeps its counters.</summary>
    private void SearchStorage()
    {
        var device = DataDevice.Find(_root, _dataDirectory);
        if (device == _storage.Device)
            return;
        var isSame = device with { ReadOnly = _storage.Device.ReadOnly } == _storage.Device;
        _storage.Dispose();
        _storage = new StorageGauge(_root, device);
        if (isSame)
            return;
        _storage.Read(_buffer);
        _written.Change(_storage.WrittenBytes);
        _diskErrors.Change(_storage.DiskErrors);
        _filesystemErrors.Change(_storage.FilesystemErrors);
    }
}
