using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Forecast;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Tests.Forecast;

public sealed class OverloadForecastTests
{
    private const long Gibi = 1L << 30;

    private readonly OverloadForecast _forecast = new();
    private readonly OverloadDetector _detector = new();
    private readonly Random _random = new(7);
    private Instant _now = new(123_456_789);

    [Fact]
    public void Constant_use_exhausts_nothing()
    {
        Live(3600, _ => (0.6, 0.7));
        Assert.False(_forecast.IsForeseen);
        foreach (var resource in new[] { _forecast.Cpu, _forecast.Memory, _forecast.Disk })
        {
            Assert.True(resource.IsReady);
            Assert.Null(resource.Exhaustion);
            Assert.Null(resource.Earliest);
            Assert.Equal(0, resource.PerMinute);
        }
        Assert.Equal(default, _forecast.Outlook);
    }

    [Theory]
    [InlineData(600)]
    [InlineData(3600)]
    [InlineData(6 * 3600)]
    public void A_straight_rise_is_told_when_it_ends(int seconds)
    {
        // From 30 % to 92 % in that time; asked at two thirds of it.
        Live(seconds * 2 / 3, t => (0.3, 0.3 + (0.62 * t / seconds)));
        var left = seconds / 3.0;
        Assert.NotNull(_forecast.Memory.Exhaustion);
        Assert.InRange(_forecast.Memory.Exhaustion.Value.TotalSeconds, 0.8 * left, 1.35 * left);
        Assert.InRange(_forecast.Memory.Earliest!.Value.TotalSeconds, 0, _forecast.Memory.Exhaustion.Value.TotalSeconds);
        Assert.Null(_forecast.Cpu.Exhaustion);
        Assert.Equal(_forecast.Memory.Exhaustion, _forecast.Outlook.Exhaustion);
        Assert.True(_forecast.Outlook.MemoryBytesLess > 0);
    }

    [Fact]
    public void A_rise_is_warned_of_before_it_is_an_overload_and_the_warning_ends_with_it()
    {
        var (begun, overloaded) = (-1, -1);
        for (var t = 0; t < 900 && overloaded < 0; t++)
        {
            See(t < 300 ? 0.3 : 0.3 + (0.7 * (t - 300) / 300.0), 0.5);
            if (_forecast.IsForeseen && begun < 0)
            {
                begun = t;
                Assert.Matches("CPU at .* % a minute", _forecast.Why);
            }
            if (_detector.IsOverloaded)
                overloaded = t;
        }
        Assert.InRange(overloaded - begun, 30, 200);
        Assert.False(_forecast.IsForeseen);
        Assert.Equal("", _forecast.Why);
    }

    [Theory]
    [InlineData("step")]
    [InlineData("fall")]
    [InlineData("spikes")]
    [InlineData("noise")]
    [InlineData("sawtooth")]
    public void What_only_looks_like_trouble_is_not_warned_of(string shape)
    {
        for (var t = 0; t < 7200; t++)
        {
            var value = shape switch
            {
                "step" => t < 1800 ? 0.3 : 0.75,
                "fall" => Math.Max(0.1, 0.85 - (t / 4000.0)),
                "spikes" => t % 61 < 2 ? 1 : 0.4,
                "noise" => 0.55 + (0.15 * (_random.NextDouble() - 0.5)),
                _ => 0.4 + (0.4 * (t % 900) / 900.0),
            };
            See(value, 0.5);
            Assert.False(_forecast.IsForeseen, $"at {t}: {_forecast.Why}");
        }
    }

    [Fact]
    public void What_comes_every_day_is_foreseen_once_two_days_have_shown_it()
    {
        var warned = new List<(int Day, int Second)>();
        var before = false;
        for (var t = 0; t < 4 * 86400; t++)
        {
            var second = t % 86400;
            See(second is >= 36000 and < 37200 ? 1 : 0.3 + (0.05 * (_random.NextDouble() - 0.5)), 0.5, second);
            if (_forecast.IsForeseen && !before)
                warned.Add((t / 86400, second));
            before = _forecast.IsForeseen;
        }
        Assert.Equal([2, 3], warned.Select(warning => warning.Day));
        Assert.All(warned, warning => Assert.InRange(36000 - warning.Second, 30, 600));
        Assert.True(_forecast.Cpu.UsesTimeOfDay);
    }

    [Fact]
    public void Without_a_trusted_clock_no_day_is_learned()
    {
        for (var t = 0; t < 3 * 86400; t++)
            See(t % 86400 is >= 36000 and < 37200 ? 1 : 0.3, 0.5);
        Assert.False(_forecast.Cpu.UsesTimeOfDay);
    }

    [Fact]
    public void A_process_that_was_suspended_warns_of_nothing()
    {
        Live(900, t => (0.3, 0.4));
        foreach (var gap in new[] { 6, 40, 700, 90_000 })
        {
            _now += TimeSpan.FromSeconds(gap);
            Live(600, t => (t == 0 ? 1 : 0.6, 0.7), mayWarn: false);
            _now += TimeSpan.FromSeconds(gap);
            Live(600, t => (0.3, 0.4), mayWarn: false);
        }
    }

    [Fact]
    public void Impossible_readings_and_a_clock_that_stands_still_change_nothing()
    {
        Live(600, _ => (0.5, 0.5));
        var good = new ResourceReading(4, 0.5, 0, Gibi, Gibi / 2, 0, 16 * Gibi, 8 * Gibi);
        ResourceReading[] bad =
        [
            good with { CpuLoad = double.NaN }, good with { CpuLoad = double.PositiveInfinity }, good with { CpuLoad = -3 }, good with { MemoryBytes = 0 },
            good with { MemoryBytes = -1 }, good with { MemoryFreeBytes = -1 }, good with { MemoryFreeBytes = long.MaxValue }, good with { DiskBytes = 0 },
            default,
        ];
        foreach (var reading in bad)
        {
            _forecast.Observe(reading, -5, false, _now += TimeSpan.FromSeconds(1));
            _forecast.Observe(reading, int.MaxValue, false, _now);
            _forecast.Observe(good, null, false, _now - TimeSpan.FromSeconds(100));
        }
        Live(600, _ => (0.5, 0.5), mayWarn: false);
        Assert.All(_forecast.Cpu.Ahead, point => Assert.InRange(point.Used, 0.45, 0.55));
        Assert.Null(_forecast.Memory.Exhaustion);
    }

    [Fact]
    public void Observing_allocates_nothing_but_words_and_memory_stays_bounded()
    {
        Live(4000, t => (0.5 + (0.05 * _random.NextDouble()), 0.5));
        var before = GC.GetAllocatedBytesForCurrentThread();
        Live(2000, t => (0.5 + (0.05 * _random.NextDouble()), 0.5));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Nine_of_ten_values_a_minute_ahead_lie_in_the_band(int seed)
    {
        var random = new Random(seed);
        var (expected, inside, all) = (new Queue<(double Low, double High)>(), 0, 0);
        for (var t = 0; t < 7200; t++)
        {
            See(0.4 + (0.1 * Math.Sin(t / 2500.0)) + (0.06 * (random.NextDouble() - 0.5)), 0.5);
            if (t % 10 != 0 || t < 1200)
                continue;
            expected.Enqueue((_forecast.Cpu.Ahead[0].Low, _forecast.Cpu.Ahead[0].High));
            if (expected.Count <= 6)
                continue;
            var (low, high) = expected.Dequeue();
            all++;
            inside += _forecast.Cpu.Lasting >= low && _forecast.Cpu.Lasting <= high ? 1 : 0;
        }
        Assert.InRange(inside / (double)all, 0.75, 1);
    }

    private void Live(int seconds, Func<int, (double Cpu, double Memory)> use, bool mayWarn = true)
    {
        for (var t = 0; t < seconds; t++)
        {
            var (cpu, memory) = use(t);
            See(cpu, memory);
            Assert.True(mayWarn || !_forecast.IsForeseen, _forecast.Why);
        }
    }

    private void See(double cpu, double memory, int? second = null)
    {
        var reading = new ResourceReading(4, Math.Min(1, cpu), 0, Gibi, (long)((1 - memory) * Gibi), 0, 16 * Gibi, 8 * Gibi);
        _now += TimeSpan.FromSeconds(1);
        _detector.Observe(reading, _now);
        _forecast.Observe(reading, second, _detector.IsOverloaded, _now);
    }
}
