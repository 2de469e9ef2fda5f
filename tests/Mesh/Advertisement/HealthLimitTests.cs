using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Tests.Advertisement;

public sealed class HealthLimitTests
{
    private static readonly HealthReading Well = new(45, 85, false, 0.1, 0, 2, 0, 0, 0);

    public static TheoryData<HealthReading, CollaborationLevel, string> Troubles => new()
    {
        { default, CollaborationLevel.Everything, "" },
        { Well, CollaborationLevel.Everything, "" },
        { Well with { Celsius = 79.9 }, CollaborationLevel.Everything, "" },
        { Well with { Celsius = 80.4 }, CollaborationLevel.Storage, "80 °C, critical at 85" },
        { Well with { Celsius = 91, CriticalCelsius = null }, CollaborationLevel.Storage, "91 °C, critical at 95" },
        { Well with { Celsius = null }, CollaborationLevel.Everything, "" },
        { Well with { UnderVoltage = true }, CollaborationLevel.Storage, "supply voltage too low" },
        { Well with { StorageLifeUsed = 0.9 }, CollaborationLevel.Everything, "" },
        { Well with { StorageLifeUsed = 1 }, CollaborationLevel.Messaging, "the disk is worn out" },
        { Well with { StorageReadOnly = true, UnderVoltage = true }, CollaborationLevel.Messaging, "the disk takes no writes" },
    };

    [Theory]
    [MemberData(nameof(Troubles))]
    public void The_machines_troubles_bound_the_level(HealthReading health, CollaborationLevel level, string why)
    {
        var limit = new HealthLimit();
        limit.Observe(health, default);
        Assert.Equal((level, why), (limit.Level, limit.Why));
    }

    [Fact]
    public void A_trouble_that_comes_and_goes_is_one_trouble()
    {
        var limit = new HealthLimit();
        var now = default(Instant);
        See(underVoltage: true, 5);
        See(underVoltage: false, 40);
        Assert.Equal(CollaborationLevel.Storage, limit.Level);
        See(underVoltage: true, 5);
        See(underVoltage: false, 55);
        Assert.Equal(CollaborationLevel.Storage, limit.Level);
        See(underVoltage: false, 10);
        Assert.Equal((CollaborationLevel.Everything, ""), (limit.Level, limit.Why));

        void See(bool underVoltage, int seconds)
        {
            for (var i = 0; i < seconds; i += 5)
                limit.Observe(Well with { UnderVoltage = underVoltage }, now += TimeSpan.FromSeconds(5));
        }
    }

    [Fact]
    public void A_worse_trouble_counts_at_once()
    {
        var limit = new HealthLimit();
        limit.Observe(Well with { UnderVoltage = true }, default);
        limit.Observe(Well with { StorageReadOnly = true }, default(Instant) + TimeSpan.FromSeconds(1));
        Assert.Equal(CollaborationLevel.Messaging, limit.Level);
    }
}
