using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Resources.Health;

public sealed class HealthProbeTests : IDisposable
{
    private const string Disk = "/sys/devices/mmc0/mmc0:aaaa/block/mmcblk0";

    private readonly FakeRoot _root = new();
    private readonly ManualTime _time = new();

    public HealthProbeTests()
    {
        _root["/proc/self/mountinfo"] = "27 1 179:0 / / rw - ext4 /dev/mmcblk0 rw,errors=remount-ro\n";
        _root[$"{Disk}/stat"] = "0 0 0 0 10 0 2000 100 0 0 0\n";
        Directory.CreateDirectory($"{_root.Path}/sys/dev/block");
        File.CreateSymbolicLink($"{_root.Path}/sys/dev/block/179:0", _root.Path + Disk);
        _root["/sys/fs/ext4/mmcblk0/errors_count"] = "0\n";
        _root["/proc/meminfo"] = "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\n";
        _root["/proc/vmstat"] = string.Concat(Enumerable.Range(0, 200).Select(i => $"nr_zone_inactive_anon_{i} 12345678\n")) + "oom_kill 4\nnuma_hit 9\n";
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void The_hottest_zone_counts_with_its_own_critical_point()
    {
        _root["/sys/class/thermal/thermal_zone0/temp"] = "45123\n";
        _root["/sys/class/thermal/thermal_zone0/trip_point_0_type"] = "critical\n";
        _root["/sys/class/thermal/thermal_zone0/trip_point_0_temp"] = "110000\n";
        _root["/sys/class/thermal/thermal_zone1/temp"] = "61500\n";
        _root["/sys/class/thermal/thermal_zone1/trip_point_0_type"] = "passive\n";
        _root["/sys/class/thermal/thermal_zone1/trip_point_0_temp"] = "70000\n";
        _root["/sys/class/thermal/thermal_zone1/trip_point_1_type"] = "critical\n";
        _root["/sys/class/thermal/thermal_zone1/trip_point_1_temp"] = "85000\n";
        _root["/sys/class/thermal/thermal_zone2/temp"] = "-273200\n";
        _root["/sys/class/thermal/cooling_device0/type"] = "fan\n";
        using var probe = Probe();
        Assert.Equal((61.5, 85.0), (probe.ReadHealth().Celsius, probe.ReadHealth().CriticalCelsius));
        _root["/sys/class/thermal/thermal_zone1/temp"] = "-5000\n";
        Assert.Equal((45.123, 110.0), (probe.ReadHealth().Celsius, probe.ReadHealth().CriticalCelsius));
        _root["/sys/class/thermal/thermal_zone0/temp"] = "-12000\n";
        Assert.Equal((-5.0, 85.0), (probe.ReadHealth().Celsius, probe.ReadHealth().CriticalCelsius));
    }

    [Fact]
    public void A_zone_whose_driver_comes_late_is_found()
    {
        using var probe = Probe();
        Assert.Null(probe.ReadHealth().Celsius);
        _root["/sys/class/thermal/thermal_zone0/temp"] = "45000\n";
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((45.0, null), (probe.ReadHealth().Celsius, probe.ReadHealth().CriticalCelsius));
    }

    [Fact]
    public void Under_voltage_is_what_the_boards_driver_says()
    {
        _root["/sys/class/hwmon/hwmon0/name"] = "cpu_thermal\n";
        _root["/sys/class/hwmon/hwmon1/name"] = "rpi_volt\n";
        _root["/sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = "0\n";
        _root["/sys/devices/platform/soc/soc:firmware/get_throttled"] = "50005\n";
        using var probe = Probe();
        Assert.False(probe.ReadHealth().UnderVoltage);
        _root["/sys/class/hwmon/hwmon1/in0_lcrit_alarm"] = "1\n";
        Assert.True(probe.ReadHealth().UnderVoltage);
    }

    [Theory]
    [InlineData("0\n", false)]
    [InlineData("50000\n", false)]
    [InlineData("50005\n", true)]
    [InlineData("1\n", true)]
    [InlineData("garbage\n", false)]
    public void Without_the_driver_the_firmwares_flags_say_it(string flags, bool isLow)
    {
        _root["/sys/devices/platform/soc/soc:firmware/get_throttled"] = flags;
        using var probe = Probe();
        Assert.Equal(isLow, probe.ReadHealth().UnderVoltage);
    }

    [Fact]
    public void A_write_takes_as_long_as_the_mean_since_the_last_reading()
    {
        using var probe = Probe();
        Assert.Null(probe.ReadHealth().StorageMilliseconds);
        _root[$"{Disk}/stat"] = "0 0 0 0 14 0 4000 260 0 0 0\n";
        var reading = probe.ReadHealth();
        Assert.Equal((40.0, 4000L * 512), (reading.StorageMilliseconds, reading.StorageBytesWritten));
        Assert.Null(probe.ReadHealth().StorageMilliseconds);
    }

    [Fact]
    public void Errors_of_the_card_and_of_its_filesystem_add_up_and_never_shrink()
    {
        _root["/sys/kernel/debug/mmc0/err_stats"] = "# Command Timeout Occurred:\t 1\n# Data CRC Errors Occurred:\t 2\n";
        File.CreateSymbolicLink($"{_root.Path}{Disk}/device", $"{_root.Path}/sys/devices/mmc0/mmc0:aaaa");
        _root["/sys/devices/mmc0/mmc0:aaaa/life_time"] = "0x03 0x02\n";
        _root["/sys/devices/mmc0/mmc0:aaaa/pre_eol_info"] = "0x02\n";
        using var probe = Probe();
        Assert.Equal((3L, 0.8), (probe.ReadHealth().StorageErrors, probe.ReadHealth().StorageLifeUsed));
        _root["/sys/fs/ext4/mmcblk0/errors_count"] = "5\n";
        Assert.Equal(8, probe.ReadHealth().StorageErrors);
        // Checked: the filesystem counts anew.
        _root["/sys/fs/ext4/mmcblk0/errors_count"] = "0\n";
        Assert.Equal(8, probe.ReadHealth().StorageErrors);
        _root["/sys/fs/ext4/mmcblk0/errors_count"] = "1\n";
        Assert.Equal(9, probe.ReadHealth().StorageErrors);
    }

    [Fact]
    public void A_filesystem_that_turns_read_only_after_an_error_is_seen_at_once()
    {
        using var probe = Probe();
        Assert.False(probe.ReadHealth().StorageReadOnly);
        _root["/proc/self/mountinfo"] = "27 1 179:0 / / rw - ext4 /dev/mmcblk0 ro,errors=remount-ro\n";
        _root["/sys/fs/ext4/mmcblk0/errors_count"] = "1\n";
        probe.ReadHealth();
        Assert.True(probe.ReadHealth().StorageReadOnly);
        Assert.Equal(1, probe.ReadHealth().StorageErrors);
    }

    [Fact]
    public void Killed_processes_are_the_machines_or_those_of_the_cgroup_that_bounds_the_node()
    {
        using var probe = Probe();
        Assert.Equal(4, probe.ReadHealth().OomKills);
        _root["/proc/self/mountinfo"] = "27 1 179:0 / / rw - ext4 /dev/mmcblk0 rw\n35 24 0:29 / /cg rw - cgroup2 cgroup2 rw\n";
        _root["/proc/self/cgroup"] = "0::/node\n";
        _root["/cg/node/memory.max"] = "1000000000\n";
        _root["/cg/node/memory.current"] = "500000000\n";
        _root["/cg/node/memory.stat"] = "inactive_file 0\n";
        _root["/cg/node/memory.events"] = "low 0\nhigh 0\nmax 9\noom 7\noom_kill 6\n";
        _time.Advance(TimeSpan.FromSeconds(61));
        probe.Read();
        // What another counter had reached before is not news.
        Assert.Equal(4, probe.ReadHealth().OomKills);
        _root["/cg/node/memory.events"] = "low 0\nhigh 0\nmax 9\noom 7\noom_kill 8\n";
        Assert.Equal(6, probe.ReadHealth().OomKills);
    }

    [Fact]
    public void A_clock_that_is_set_is_counted_and_one_that_drifts_is_not()
    {
        var clock = new SteppedTime(_time);
        using var probe = new ResourceProbe(_root.Path, clock, _root.Path);
        for (var i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(5));
            clock.Offset += TimeSpan.FromMilliseconds(3);
            Assert.Equal(0, probe.ReadHealth().ClockSteps);
        }
        clock.Offset += TimeSpan.FromDays(365);
        Assert.Equal(1, probe.ReadHealth().ClockSteps);
        clock.Offset -= TimeSpan.FromSeconds(2);
        Assert.Equal(2, probe.ReadHealth().ClockSteps);
        Assert.Equal(2, probe.ReadHealth().ClockSteps);
    }

    [Fact]
    public void Nothing_readable_gives_nothing()
    {
        using var empty = new FakeRoot();
        using var probe = new ResourceProbe($"{empty.Path}/absent", _time, empty.Path);
        Assert.Equal(default, probe.ReadHealth());
        Assert.Equal((Contracts.Mesh.LinkKinds.None, 0), (probe.ReadSurroundings().Links, probe.ReadSurroundings().Sensors.Count));
    }

    [Fact]
    public void A_reading_allocates_next_to_nothing()
    {
        _root["/sys/class/thermal/thermal_zone0/temp"] = "45000\n";
        using var probe = Probe();
        probe.ReadHealth();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10; i++)
            probe.ReadHealth();
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 10, 0, 400);
    }

    [Fact]
    public void This_machine_is_well_enough_to_run_tests()
    {
        using var probe = new ResourceProbe(Path.GetTempPath(), TimeProvider.System);
        File.WriteAllText(Path.Combine(_root.Path, "written"), "x");
        HealthReading reading = probe.ReadHealth();
        Assert.True(reading.Celsius is null or (> -60 and < 120), $"{reading}");
        Assert.True(reading.StorageLifeUsed is null or (>= 0 and <= 1), $"{reading}");
        Assert.True(reading is { StorageErrors: >= 0, StorageBytesWritten: >= 0, OomKills: >= 0, ClockSteps: 0, StorageReadOnly: false }, $"{reading}");
        Assert.All(probe.ReadSurroundings().Sensors, label => Assert.Matches("^[a-z0-9._=-]{1,24}$", label));
    }

    /// <summary>The data directory's path is taken from the real root, so it is one that is on <c>/</c> in the fake one.</summary>
    private ResourceProbe Probe() => new("/", _time, _root.Path);

    private sealed class SteppedTime(ManualTime time) : TimeProvider
    {
        public TimeSpan Offset { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp() => time.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow() + TimeSpan.FromDays(400) + Offset;
    }
}
