using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Tests.Placement;

public sealed class ForesightTests
{
    [Fact]
    public void A_danger_counts_when_it_lasts_and_is_over_when_it_is_gone_for_longer()
    {
        var foresight = new Foresight(new PlacementRules());
        var now = new Instant(1_000_000_000);
        void During(double seconds, double failure)
        {
            for (var end = now + TimeSpan.FromSeconds(seconds); now < end; now += TimeSpan.FromSeconds(0.5))
                foresight.Observe(failure, now);
        }
        During(25, 0.9);
        During(1, 0.7);
        During(25, 0.9);
        Assert.False(foresight.IsFailing);
        During(10, 0.9);
        Assert.True(foresight.IsFailing);
        During(600, 0.6);
        During(100, 0.1);
        Assert.True(foresight.IsFailing);
        During(30, 0.1);
        Assert.False(foresight.IsFailing);
    }
}
