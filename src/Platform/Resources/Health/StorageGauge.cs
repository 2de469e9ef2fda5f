namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>Wear, errors and speed of one device. Errors are those of the disk and of the filesystem on it.</summary>
internal sealed class StorageGauge(string root, DataDevice device) : IDisposable
{
    private const int SectorBytes = 512;

    private readonly KernelFile _stat = File(device.Disk, "stat");
    private readonly KernelFile _lifeTime = File(device.Disk, "device/life_time");
    private readonly KernelFile _preEndOfLife = File(device.Disk, "device/pre_eol_info");
    private readonly KernelFile _scsiErrors = File(device.Disk, "device/ioerr_cnt");
    private readonly KernelFile _hostErrors = new(HostErrorsPath(root, device.Disk), HealthProbe.ReadingsToRest);

    // Documentation/ABI/testing/sysfs-fs-ext4: errors since the filesystem was last checked.
    private readonly KernelFile _ext4Errors = new(device.Name.Length == 0 ? "" : $"{root}/sys/fs/ext4/{device.Name}/errors_count", HealthProbe.ReadingsToRest);
    private WriteCounts? _last;

    public DataDevice Device => device;

    /// <returns>Negative when the kernel does not count.</returns>
    public long WrittenBytes { get; private set; } = KernelText.Absent;

    /// <summary>Mean of the writes since the reading before; <c>null</c> when there was none.</summary>
    public double? WriteMilliseconds { get; private set; }

    public double? LifeUsed { get; private set; }

    /// <summary>Negative when nothing counts them.</summary>
    public long FilesystemErrors { get; private set; } = KernelText.Absent;

    /// <summary>Negative when nothing counts them.</summary>
    public long DiskErrors { get; private set; } = KernelText.Absent;

    public void Read(byte[] buffer)
    {
        ReadWrites(StorageText.Stat(_stat.Read(buffer)));
        var used = Math.Max(StorageText.LifeTime(_lifeTime.Read(buffer)), StorageText.PreEndOfLife(_preEndOfLife.Read(buffer)));
        LifeUsed = used < 0 ? null : used;
        FilesystemErrors = KernelText.Number(_ext4Errors.Read(buffer));
        DiskErrors = Math.Max(StorageText.Hex(_scsiErrors.Read(buffer)), StorageText.HostErrors(_hostErrors.Read(buffer)));
    }

    public void Dispose()
    {
        _stat.Dispose();
        _lifeTime.Dispose();
        _preEndOfLife.Dispose();
        _scsiErrors.Dispose();
        _hostErrors.Dispose();
        _ext4Errors.Dispose();
    }

    private void ReadWrites(WriteCounts? counts)
    {
        WrittenBytes = counts is { } known ? known.Sectors * SectorBytes : KernelText.Absent;
        var writes = counts?.Writes - _last?.Writes;
        WriteMilliseconds = writes > 0 ? Math.Max(0, (double)(counts!.Value.Milliseconds - _last!.Value.Milliseconds) / writes.Value) : null;
        _last = counts;
    }

    private static KernelFile File(string disk, string name) => new(disk.Length == 0 ? "" : $"{disk}/{name}", HealthProbe.ReadingsToRest);

    /// <summary>A card's directory is named after its host, <c>mmc0:aaaa</c>. debugfs is root's, and not mounted everywhere.</summary>
    private static string HostErrorsPath(string root, string disk)
    {
        var card = disk.Length == 0 ? "" : Path.GetFileName(TextFile.Follow($"{disk}/device"));
        return card.StartsWith("mmc", StringComparison.Ordinal) && card.IndexOf(':') is > 0 and var colon ? $"{root}/sys/kernel/debug/{card[..colon]}/err_stats" : "";
    }
}
