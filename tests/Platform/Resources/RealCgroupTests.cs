using System.Diagnostics;
using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Resources;

/// <summary>A real cgroup with a quota of a fifth of a core and a busy process in it. The probe is told, through a root of links, that the firmware
/// lives there too.</summary>
[Needs("root", "sh")]
public sealed class RealCgroupTests : IDisposable
{
    private const string Name = "edge-probe-test";

    private readonly FakeRoot _root = new();
    private readonly List<string> _cgroups = [];
    private Process? _busy;

    public void Dispose()
    {
        if (_busy is not null)
        {
            _busy.Kill();
            _busy.WaitForExit();
            _busy.Dispose();
        }
        foreach (var cgroup in _cgroups)
            Directory.Delete(cgroup);
        File.Delete($"{_root.Path}/sys");
        _root.Dispose();
    }

    [NeedsFact]
    public async Task A_busy_process_under_a_quota_is_full_load_and_pressure()
    {
        var mountinfo = await File.ReadAllTextAsync("/proc/self/mountinfo");
        var cpu = Make(mountinfo, "cpu");
        if (cpu.IsV2)
        {
            await File.WriteAllTextAsync($"{cpu.Directory}/cpu.max", "20000 100000");
        }
        else
        {
            await File.WriteAllTextAsync($"{cpu.Directory}/cpu.cfs_period_us", "100000");
            await File.WriteAllTextAsync($"{cpu.Directory}/cpu.cfs_quota_us", "20000");
        }
        var places = cpu.IsV2 ? [cpu.Directory] : new HashSet<string> { cpu.Directory, Make(mountinfo, "cpuacct").Directory };

        var tell = string.Concat(places.Select(place => $"echo $$ >{place}/cgroup.procs; "));
        _busy = Process.Start("sh", ["-c", $"{tell} while :; do :; done"]);
        foreach (var place in places)
            await UntilMemberAsync(place, _busy.Id);

        _root["/proc/self/mountinfo"] = mountinfo;
        _root["/proc/self/cgroup"] = await File.ReadAllTextAsync($"/proc/{_busy.Id}/cgroup");
        File.CreateSymbolicLink($"{_root.Path}/sys", "/sys");
        using var probe = new ResourceProbe("/", TimeProvider.System, _root.Path);
        var reading = probe.Read();
        Assert.Equal(0.2, reading.CpuCores, 3);
        // The quota is the subject: readings need real time to pass, and on a busy machine the process must get its share first.
        for (var left = 20; left > 0 && reading is not { CpuLoad: >= 0.9, CpuPressure: > 0 }; left--)
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            reading = probe.Read();
        }
        Assert.True(reading is { CpuLoad: >= 0.9, CpuPressure: > 0 }, $"load {reading.CpuLoad}, pressure {reading.CpuPressure}");
    }

    [NeedsFact]
    public void The_real_machine_gives_a_plausible_reading()
    {
        using var probe = new ResourceProbe("/", TimeProvider.System);
        var reading = probe.Read();
        Assert.InRange(reading.CpuCores, 0.01, Environment.ProcessorCount * 16);
        Assert.InRange(reading.CpuLoad, 0, 1);
        Assert.InRange(reading.MemoryFreeBytes, 1, reading.MemoryBytes);
        Assert.InRange(reading.DiskFreeBytes, 0, reading.DiskBytes);
        Assert.Equal(new DriveInfo("/").TotalSize, reading.DiskBytes);
    }

    private (bool IsV2, string Directory) Make(string mountinfo, string controller)
    {
        // The root of the hierarchy, wherever this test itself runs.
        var chain = CgroupChain.Find(mountinfo, $"1:{controller}:/\n0::/\n", controller) ??
            throw new InvalidOperationException($"no {controller} hierarchy is mounted");
        var top = chain.Directories[^1];
        if (chain.IsV2)
            File.WriteAllText($"{top}/cgroup.subtree_control", "+cpu");
        var directory = $"{top}/{Name}-{Environment.ProcessId}";
        Directory.CreateDirectory(directory);
        if (!_cgroups.Contains(directory))
            _cgroups.Add(directory);
        return (chain.IsV2, directory);
    }

    private static async Task UntilMemberAsync(string cgroup, int process)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!(await File.ReadAllLinesAsync($"{cgroup}/cgroup.procs", patience.Token)).Contains($"{process}"))
            await Task.Yield();
    }
}
