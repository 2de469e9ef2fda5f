using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Resources;

public sealed class ResourceProbeTests : IDisposable
{
    private const string V1Mounts = """
        32 31 0:29 / /cg/cpu rw - cgroup cgroup rw,cpu
        33 31 0:30 / /cg/cpuacct rw - cgroup cgroup rw,cpuacct
        35 31 0:32 / /cg/memory rw - cgroup cgroup rw,memory
        """;

    private const string V2Mounts = "35 24 0:29 / /cg rw - cgroup2 cgroup2 rw\n";

    private readonly FakeRoot _root = new();
    private readonly ManualTime _time = new();

    public ResourceProbeTests()
    {
        _root["/sys/devices/system/cpu/online"] = "0-3\n";
        _root["/proc/stat"] = "cpu  1000 0 0 9000 0 0 0 0 0 0\n";
        _root["/proc/meminfo"] = "MemTotal:        4000000 kB\nMemFree:          100000 kB\nMemAvailable:    3000000 kB\n";
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Without_limits_the_node_is_the_machine()
    {
        _root["/proc/pressure/cpu"] = "some avg10=12.50 avg60=0 avg300=0 total=0\n";
        _root["/proc/pressure/memory"] = "some avg10=3.00 avg60=0 avg300=0 total=0\n";
        using var probe = Probe();
        // 100 of 400 ticks busy; waiting for I/O is not.
        _root["/proc/stat"] = "cpu  1060 10 30 9200 100 0 0 0 0 0\n";
        var reading = probe.Read();
        Assert.Equal((4.0, 0.25, 0.125), (reading.CpuCores, reading.CpuLoad, reading.CpuPressure));
        Assert.Equal((4_096_000_000, 3_072_000_000, 0.03), (reading.MemoryBytes, reading.MemoryFreeBytes, reading.MemoryPressure));
        Assert.True(reading.DiskBytes > 0 && reading.DiskFreeBytes > 0 && reading.DiskFreeBytes <= reading.DiskBytes);
    }

    [Fact]
    public void A_second_reading_in_the_same_tick_repeats_the_load()
    {
        using var probe = Probe();
        _root["/proc/stat"] = "cpu  1100 0 0 9100 0 0 0 0 0 0\n";
        Assert.Equal(0.5, probe.Read().CpuLoad);
        Assert.Equal(0.5, probe.Read().CpuLoad);
    }

    [Fact]
    public void Nothing_readable_gives_zeros()
    {
        using var empty = new FakeRoot();
        using var probe = new ResourceProbe($"{empty.Path}/absent", _time, empty.Path);
        var reading = probe.Read();
        Assert.Equal(Environment.ProcessorCount, reading.CpuCores);
        Assert.Equal((0.0, 0.0, 0L, 0L), (reading.CpuLoad, reading.CpuPressure, reading.MemoryBytes, reading.MemoryFreeBytes));
        Assert.Equal((0L, 0L), (reading.DiskBytes, reading.DiskFreeBytes));
    }

    [Fact]
    public void Garbage_gives_zeros()
    {
        foreach (var path in (string[])["/proc/stat", "/proc/meminfo", "/proc/pressure/cpu", "/proc/self/cgroup", "/proc/self/mountinfo"])
            _root[path] = "\u0001\u0002: - : garbage\n\n";
        using var probe = Probe();
        Assert.Equal((0.0, 0L), (probe.Read().CpuLoad, probe.Read().MemoryBytes));
    }

    [Fact]
    public void Under_v1_the_nearest_cgroup_with_a_quota_is_the_node()
    {
        QuotaV1();
        using var probe = Probe();
        _time.Advance(TimeSpan.FromSeconds(1));
        // 0.45 s of the 0.5 s that the quota allows.
        _root["/cg/cpuacct/node/cpuacct.usage"] = "5450000000\n";
        _root["/cg/cpu/node/cpu.stat"] = "nr_periods 110\nnr_throttled 24\nthrottled_time 9\n";
        var reading = probe.Read();
        Assert.Equal(0.5, reading.CpuCores);
        Assert.Equal(0.9, reading.CpuLoad, 3);
        Assert.Equal(0.4, reading.CpuPressure, 3);

        // Idle: no period begins.
        _time.Advance(TimeSpan.FromSeconds(1));
        reading = probe.Read();
        Assert.Equal((0.0, 0.0), (reading.CpuLoad, reading.CpuPressure));
    }

    [Fact]
    public void Under_v1_where_nobody_counts_the_quotas_time_the_machine_bounds_it()
    {
        QuotaV1();
        _root["/proc/self/cgroup"] = "4:memory:/node\n2:cpuacct:/\n1:cpu:/node/firmware\n";
        using var probe = Probe();
        _root["/proc/stat"] = "cpu  1010 0 0 9390 0 0 0 0 0 0\n";
        // 10 of 400 ticks of four cores are a tenth of a core, a fifth of the quota.
        Assert.Equal(0.2, probe.Read().CpuLoad, 3);
    }

    [Fact]
    public void Under_v1_memory_is_the_limit_without_idle_file_pages()
    {
        QuotaV1();
        using var probe = Probe();
        var reading = probe.Read();
        Assert.Equal((500_000_000L, 300_000_000L), (reading.MemoryBytes, reading.MemoryFreeBytes));
        // The machine has less left than the limit allows.
        _root["/proc/meminfo"] = "MemTotal:        4000000 kB\nMemAvailable:    1000 kB\n";
        Assert.Equal(1_024_000, probe.Read().MemoryFreeBytes);
    }

    [Fact]
    public void Under_v2_the_nearest_cgroup_with_a_quota_is_the_node()
    {
        QuotaV2();
        using var probe = Probe();
        _time.Advance(TimeSpan.FromSeconds(2));
        _root["/cg/edge.slice/cpu.stat"] = "usage_usec 2500000\nuser_usec 1\nsystem_usec 1\nnr_periods 20\nnr_throttled 5\nthrottled_usec 1\n";
        var reading = probe.Read();
        Assert.Equal(1.5, reading.CpuCores);
        Assert.Equal(0.5, reading.CpuLoad, 3);
        Assert.Equal(0.5, reading.CpuPressure, 3);
        Assert.Equal((1_000_000_000L, 900_000_000L, 0.2), (reading.MemoryBytes, reading.MemoryFreeBytes, reading.MemoryPressure));
    }

    [Fact]
    public void Under_v2_pressure_without_throttling_counts_too()
    {
        QuotaV2();
        _root["/cg/edge.slice/cpu.pressure"] = "some avg10=40.00 avg60=0.00 avg300=0.00 total=1\n";
        using var probe = Probe();
        Assert.Equal(0.4, probe.Read().CpuPressure, 3);
    }

    [Fact]
    public void A_quota_above_what_the_machine_has_is_the_machine()
    {
        QuotaV2();
        _root["/cg/edge.slice/cpu.max"] = "800000 100000\n";
        using var probe = Probe();
        Assert.Equal(4, probe.Read().CpuCores);
    }

    [Fact]
    public void A_quota_that_is_lifted_and_set_again_is_noticed()
    {
        QuotaV2();
        using var probe = Probe();
        _root["/cg/edge.slice/cpu.max"] = "max 100000\n";
        Assert.Equal(4, probe.Read().CpuCores);
        _root["/cg/edge.slice/firmware.service/cpu.max"] = "200000 100000\n";
        _time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(2, probe.Read().CpuCores);
        _root.Remove("/cg/edge.slice/memory.max");
        Assert.Equal(2, probe.Read().CpuCores);
    }

    [Fact]
    public void A_reading_allocates_next_to_nothing()
    {
        QuotaV1();
        using var probe = Probe();
        probe.Read();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++)
            probe.Read();
        // What is left is DriveInfo's.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 50, 0, 400);
    }

    private void QuotaV1()
    {
        _root["/proc/self/mountinfo"] = V1Mounts;
        _root["/proc/self/cgroup"] = "4:memory:/node/firmware\n2:cpuacct:/node/firmware\n1:cpu:/node/firmware\n0::/\n";
        _root["/cg/cpu/node/firmware/cpu.cfs_quota_us"] = "-1\n";
        _root["/cg/cpu/node/firmware/cpu.cfs_period_us"] = "100000\n";
        _root["/cg/cpu/node/cpu.cfs_quota_us"] = "50000\n";
        _root["/cg/cpu/node/cpu.cfs_period_us"] = "100000\n";
        _root["/cg/cpu/node/cpu.stat"] = "nr_periods 100\nnr_throttled 20\nthrottled_time 5\n";
        _root["/cg/cpuacct/node/cpuacct.usage"] = "5000000000\n";
        _root["/cg/memory/node/firmware/memory.limit_in_bytes"] = "9223372036854771712\n";
        _root["/cg/memory/node/memory.limit_in_bytes"] = "500000000\n";
        _root["/cg/memory/node/memory.usage_in_bytes"] = "450000000\n";
        _root["/cg/memory/node/memory.stat"] = "cache 1\ninactive_file 1\ntotal_cache 1\ntotal_inactive_file 250000000\n";
    }

    private void QuotaV2()
    {
        _root["/proc/self/mountinfo"] = V2Mounts;
        _root["/proc/self/cgroup"] = "0::/edge.slice/firmware.service\n";
        _root["/cg/edge.slice/firmware.service/cpu.max"] = "max 100000\n";
        _root["/cg/edge.slice/firmware.service/memory.max"] = "max\n";
        _root["/cg/edge.slice/cpu.max"] = "150000 100000\n";
        _root["/cg/edge.slice/cpu.stat"] = "usage_usec 1000000\nnr_periods 10\nnr_throttled 0\n";
        _root["/cg/edge.slice/memory.max"] = "1000000000\n";
        _root["/cg/edge.slice/memory.current"] = "300000000\n";
        _root["/cg/edge.slice/memory.stat"] = "anon 1\nfile 2\ninactive_file 200000000\n";
        _root["/cg/edge.slice/memory.pressure"] = "some avg10=20.00 avg60=0.00 avg300=0.00 total=1\n";
    }

    private ResourceProbe Probe() => new(_root.Path, _time, _root.Path);
}
