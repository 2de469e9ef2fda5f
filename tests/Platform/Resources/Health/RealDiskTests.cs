using System.Diagnostics;
using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Resources.Health;

/// <summary>A real ext4 on a disk of its own that the kernel is told to find broken.</summary>
[Needs("root", "mkfs.ext4", "mount", "losetup")]
public sealed class RealDiskTests : IDisposable
{
    private const int Mebibytes = 16;

    private readonly string _directory = Directory.CreateTempSubdirectory("edge-disk-").FullName;
    private bool _mounted;

    private string Image => Path.Combine(_directory, "disk");

    private string MountPoint => Path.Combine(_directory, "data");

    public void Dispose()
    {
        if (_mounted)
            Run("umount", MountPoint);
        Directory.Delete(_directory, recursive: true);
    }

    [NeedsFact]
    public void Writes_are_seen_and_an_error_makes_the_disk_read_only()
    {
        using (var image = File.Create(Image))
            image.SetLength(Mebibytes << 20);
        Run("mkfs.ext4", "-q", "-F", Image);
        Directory.CreateDirectory(MountPoint);
        Run("mount", "-o", "loop,errors=remount-ro", Image, MountPoint);
        _mounted = true;

        using var probe = new ResourceProbe(Path.Combine(MountPoint, "edge"), TimeProvider.System);
        var before = probe.ReadHealth();
        Assert.False(before.StorageReadOnly);
        Assert.Equal(0, before.StorageErrors);

        using (var file = new FileStream(Path.Combine(MountPoint, "written"), FileMode.Create))
        {
            file.Write(new byte[4 << 20]);
            file.Flush(flushToDisk: true);
        }
        var written = probe.ReadHealth();
        Assert.InRange(written.StorageBytesWritten - before.StorageBytesWritten, 4 << 20, 12 << 20);
        Assert.NotNull(written.StorageMilliseconds);

        if (Trigger() is not { } trigger)
            return; // a kernel that cannot be told
        File.WriteAllText(trigger, "test");
        var broken = probe.ReadHealth();
        Assert.Equal(1, broken.StorageErrors);
        Assert.True(probe.ReadHealth().StorageReadOnly);
    }

    /// <summary><c>trigger_fs_error</c> of Documentation/ABI/testing/sysfs-fs-ext4.</summary>
    private string? Trigger()
    {
        foreach (var line in File.ReadLines("/proc/self/mountinfo"))
            if (line.Contains($" {MountPoint} ", StringComparison.Ordinal))
                return $"/sys/fs/ext4/{Path.GetFileName(line[(line.IndexOf(" - ", StringComparison.Ordinal) + 3)..].Split(' ')[1])}/trigger_fs_error" is var path
                    && File.Exists(path) ? path : null;
        return null;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
