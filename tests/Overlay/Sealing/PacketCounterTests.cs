using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Sealing;

public sealed class PacketCounterTests
{
    [Theory]
    [InlineData(0x000000u, 0ul, 0ul)]
    [InlineData(0x000001u, 0ul, 1ul)]
    [InlineData(0xffffffu, 0ul, 0xfffffful)] // there is nothing below 0 that it could be
    [InlineData(0x000000u, 0xfffffful, 0x1000000ul)]
    [InlineData(0x000010u, 0xfffff0ul, 0x1000010ul)]
    [InlineData(0xfffff0u, 0x1000010ul, 0xfffff0ul)]
    [InlineData(0x7fffffu, 0x1000000ul, 0x17ffffful)]
    [InlineData(0x800001u, 0x1000000ul, 0x1800001ul)]
    [InlineData(0x800002u, 0x1000000ul, 0x800002ul)]
    [InlineData(0x000001u, 0x1800000ul, 0x2000001ul)]
    [InlineData(0x000002u, 0x1800000ul, 0x1000002ul)]
    public void A_counter_is_the_one_nearest_to_the_next(uint shown, ulong highest, ulong counter) =>
        Assert.Equal(counter, PacketCounter.Expand(shown, highest));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_was_lost_or_late_by_less_than_half_the_range_is_found_again(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 100_000; i++)
        {
            var highest = (ulong)random.NextInt64(1L << 30);
            var counter = highest + (ulong)random.NextInt64(1, 1 << 23);
            Assert.Equal(counter, PacketCounter.Expand((uint)(counter & 0xffffff), highest));
            var late = highest - Math.Min(highest, (ulong)random.NextInt64(0, (1 << 23) - 1));
            Assert.Equal(late, PacketCounter.Expand((uint)(late & 0xffffff), highest));
        }
    }
}
