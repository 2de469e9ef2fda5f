using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Mesh.Tests.Advertisement;

public sealed class ReadingFilterTests
{
    [Fact]
    public void The_busy_moment_of_the_start_does_not_count_for_long()
    {
        var filter = new ReadingFilter(ReadingFilter.Lasting);
        var mean = new ResourceReading();
        for (var second = 0; second <= 5; second++)
            mean = filter.Observe(new ResourceReading { CpuLoad = second == 0 ? 1 : 0.1, MemoryFreeBytes = 1000 }, new Instant(1_000_000L * second));
        Assert.Equal(0.1, mean.CpuLoad, 0.01);
        Assert.Equal(1000, mean.MemoryFreeBytes);
    }

    [Fact]
    public void A_step_is_followed_to_two_thirds_in_the_constant()
    {
        var filter = new ReadingFilter(ReadingFilter.Lasting);
        var mean = new ResourceReading();
        for (var second = 0; second <= 200 + ReadingFilter.Lasting.TotalSeconds; second++)
            mean = filter.Observe(new ResourceReading { CpuLoad = second <= 200 ? 0 : 1 }, new Instant(1_000_000L * second));
        Assert.Equal(0.63, mean.CpuLoad, 0.01);
    }
}
