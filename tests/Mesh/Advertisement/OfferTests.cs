using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Tests.Advertisement;

public sealed class OfferTests
{
    private const long Mega = 1L << 20;
    private static readonly MachineDescription Machine = new("arm64", 4096, 4, 1024 * Mega, "6.12", "Debian", "Pi");
    private static readonly ResourceReading Idle = new(4, 0.1, 0, 1024 * Mega, 600 * Mega, 0, 16_000 * Mega, 8_000 * Mega);

    public static TheoryData<ResourceReading, bool, bool, CollaborationLevel, string> Levels => new()
    {
        { Idle, true, false, CollaborationLevel.Everything, "" },
        { Idle, false, false, CollaborationLevel.Messaging, "no container engine answers" },
        { Idle with { DiskFreeBytes = 255 * Mega }, true, false, CollaborationLevel.Messaging, "255 MiB of disk left" },
        { Idle, true, true, CollaborationLevel.Storage, "overloaded" },
        { Idle with { CpuLoad = 0.91 }, true, false, CollaborationLevel.Storage, "0.36 of 4.0 cores free" },
        { Idle with { MemoryFreeBytes = 47 * Mega }, true, false, CollaborationLevel.Storage, "47 MiB of memory free" },
    };

    [Theory]
    [MemberData(nameof(Levels))]
    public void The_level_says_what_the_node_can_take_on(
        ResourceReading reading, bool hasEngine, bool overloaded, CollaborationLevel level, string why)
    {
        var engine = hasEngine ? new EngineDescription("docker", "28.1", "arm64", LoadsPartialImages: true, CanCheckpoint: false, "/var/lib/docker") : null;
        var offer = OfferCalculator.Calculate(new OfferSources(reading, Machine) { Engine = engine, Overloaded = overloaded });
        Assert.Equal((level, why), (offer.Level, offer.Why));
    }

    [Fact]
    public void What_is_promised_is_not_offered_again()
    {
        var offer = OfferCalculator.Calculate(new OfferSources(Idle, Machine) { Promised = new Reservation(3, 500 * Mega) });
        Assert.Equal(0.6, offer.CpuFreeCores, 3);
        Assert.Equal(100 * Mega, offer.MemoryFreeBytes);
        Assert.Equal(0, OfferCalculator.Calculate(new OfferSources(Idle, Machine) { Promised = new Reservation(9, 5000 * Mega) }).MemoryFreeBytes);
    }

    [Theory]
    [InlineData(2.9, false)]
    [InlineData(3.0, true)]
    public void A_burst_moves_nothing_and_pressure_that_lasts_does(double seconds, bool overloaded)
    {
        var detector = new OverloadDetector();
        detector.Observe(Idle with { CpuLoad = 0.95 }, default);
        detector.Observe(Idle with { CpuLoad = 0.95 }, default(Instant) + TimeSpan.FromSeconds(seconds));
        Assert.Equal(overloaded, detector.IsOverloaded);
    }

    [Fact]
    public void Overload_ends_only_well_below_where_it_began_and_after_longer()
    {
        var detector = new OverloadDetector();
        var now = default(Instant);
        See(0.95, 3);
        Assert.True(detector.IsOverloaded);
        Assert.Contains("CPU at 95 %", detector.Why, StringComparison.Ordinal);
        See(0.85, 30);
        Assert.True(detector.IsOverloaded);
        See(0.5, 9);
        Assert.True(detector.IsOverloaded);
        See(0.5, 2);
        Assert.False(detector.IsOverloaded);

        void See(double load, int seconds)
        {
            for (var i = 0; i <= seconds; i++)
                detector.Observe(Idle with { CpuLoad = load }, now += TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public void A_node_that_was_short_of_something_takes_work_again_only_with_clearly_more()
    {
        var sources = new OfferSources(Idle with { CpuLoad = 0.89 }, Machine) { Engine = Docker };
        Assert.Equal(CollaborationLevel.Everything, OfferCalculator.Calculate(sources).Level);
        var before = OfferCalculator.Calculate(sources with { Reading = Idle with { CpuLoad = 0.91 } });
        Assert.Equal(CollaborationLevel.Storage, before.Level);
        Assert.Equal(CollaborationLevel.Storage, OfferCalculator.Calculate(sources, before).Level);
        Assert.Equal(CollaborationLevel.Everything, OfferCalculator.Calculate(sources with { Reading = Idle with { CpuLoad = 0.84 } }, before).Level);
    }

    [Fact]
    public void A_draining_node_takes_nothing_on()
    {
        var offer = OfferCalculator.Calculate(new OfferSources(Idle, Machine) { Engine = Docker, Draining = true });
        Assert.Equal((CollaborationLevel.Messaging, "draining", true), (offer.Level, offer.Why, offer.Draining));
    }

    [Fact]
    public void Labels_are_in_order_and_the_operators_stay_when_there_are_too_many()
    {
        string[] sensors = ["i2c", "gpio", "roof"];
        Assert.Equal(["gpio", "i2c", "lift", "roof"], OfferCalculator.Merge(["roof", "lift"], sensors));
        var many = Enumerable.Range(10, 11).Select(i => $"z{i}").ToArray();
        var merged = OfferCalculator.Merge(many, sensors);
        Assert.Equal(Offer.LabelsMax, merged.Count);
        Assert.Equal(["i2c", .. many], merged);
    }

    private static EngineDescription Docker => new("docker", "28.1", "arm64", LoadsPartialImages: true, CanCheckpoint: false, "/var/lib/docker");
}
