using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Forecast;

namespace EdgeFirmware.Mesh.Tests.Forecast;

public sealed class FailureForecastTests
{
    private static readonly HealthReading Well = new(50, 85, false, 0.1, 0, 5, 0, 0, 0);

    private readonly FailureForecast _forecast = new();
    private Instant _now;

    public static TheoryData<string, Func<int, HealthReading>, bool, string> Signs => new()
    {
        { "well", _ => Well, false, "" },
        { "hot but steady", _ => Well with { Celsius = 78 }, false, "" },
        { "hotter and hotter", t => Well with { Celsius = Math.Min(84, 55 + (t / 60.0)) }, true, "84 °C of 85 °C" },
        { "supply gives way", t => Well with { UnderVoltage = t % 120 < 3 }, true, "under-voltage" },
        { "one dip", t => Well with { UnderVoltage = t is > 900 and < 905 }, false, "under-voltage" },
        { "storage errors", t => Well with { StorageErrors = t / 200 }, true, "storage errors" },
        { "errors from before the start", _ => Well with { StorageErrors = 900 }, false, "" },
        { "worn out", _ => Well with { StorageLifeUsed = 1 }, false, "life" },
        { "memory kills", t => Well with { OomKills = t / 200 }, true, "killed for memory" },
        { "clock jumps", t => Well with { ClockSteps = t / 100 }, false, "clock jumped" },
        { "nonsense", t => new HealthReading(double.NaN, double.NaN, false, double.NaN, -5, double.NaN, -1, long.MinValue, -1), false, "" },
    };

    [Theory]
    [MemberData(nameof(Signs))]
    public void Signs_add_up_to_a_score_with_a_reason(string name, Func<int, HealthReading> live, bool foreseen, string why)
    {
        for (var t = 0; t < 1800; t++)
            See(live(t));
        Assert.True(foreseen == _forecast.IsForeseen, $"{name}: {_forecast.Score:0.00} {_forecast.Why}");
        Assert.InRange(_forecast.Score, 0, 1);
        Assert.Contains(why, _forecast.Why, StringComparison.Ordinal);
        if (why.Length == 0)
            Assert.Equal("", _forecast.Why);
    }

    [Fact]
    public void Two_weak_signs_together_are_a_strong_one()
    {
        for (var t = 0; t < 900; t++)
            See(Well with { StorageLifeUsed = 0.98, StorageErrors = t > 600 ? 3 : 0 });
        Assert.True(_forecast.IsForeseen, _forecast.Why);
        Assert.Contains("storage errors", _forecast.Why, StringComparison.Ordinal);
        Assert.Contains("life behind it", _forecast.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void A_machine_that_has_recovered_is_trusted_again()
    {
        for (var t = 0; t < 900; t++)
            See(Well with { OomKills = t / 100 });
        Assert.True(_forecast.IsForeseen);
        for (var t = 0; t < 3 * 3600; t++)
            See(Well with { OomKills = 9 });
        Assert.False(_forecast.IsForeseen);
        Assert.True(_forecast.Score < 0.1);
    }

    [Fact]
    public void Workloads_that_end_again_and_again_are_a_sign_and_many_names_take_no_more_memory()
    {
        for (var t = 0; t < 600; t++)
        {
            See(Well);
            _forecast.CopyEnded(WorkloadId.Of("user", $"other{t}"), _now);
            if (t % 60 == 0)
                for (var i = 0; i < 2; i++)
                    _forecast.CopyEnded(WorkloadId.Of("user", "loop"), _now);
        }
        Assert.InRange(_forecast.Score, 0.2, 0.69);
        Assert.Contains("end again and again", _forecast.Why, StringComparison.Ordinal);
        Assert.False(_forecast.IsForeseen);
    }

    [Fact]
    public void A_leak_counts_by_the_time_that_is_left()
    {
        for (var t = 0; t < 60; t++)
            _forecast.Observe(Well, TimeSpan.FromMinutes(5), leaks: true, _now += TimeSpan.FromSeconds(1));
        Assert.Contains("memory runs out in about 5 minutes", _forecast.Why, StringComparison.Ordinal);
        Assert.InRange(_forecast.Score, 0.5, 0.69);
    }

    private void See(HealthReading reading) => _forecast.Observe(reading, null, leaks: false, _now += TimeSpan.FromSeconds(1));
}
