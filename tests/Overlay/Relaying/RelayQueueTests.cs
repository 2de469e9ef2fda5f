using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Relaying;

namespace EdgeFirmware.Overlay.Tests.Relaying;

public sealed class RelayQueueTests
{
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void No_more_goes_out_than_the_radio_carries_and_what_is_too_much_is_dropped()
    {
        var queue = new RelayQueue(LinkKind.SixLowpan, _now);
        var (went, refused) = (0, 0);
        for (var i = 0; i < 10_000; i++)
        {
            refused += queue.TryPut(i % 3, 9, new byte[80]) ? 0 : 1;
            while (queue.TryTake(out _, out var relayed, _now))
            {
                queue.Spend(relayed.Length, _now);
                went += RadioFrames.AirBytes(relayed.Length);
            }
            _now += TimeSpan.FromMilliseconds(1);
        }
        Assert.InRange(went, 270_000, 285_000); // ten seconds
        Assert.True(refused > 5000);
    }

    [Fact]
    public void What_the_node_says_itself_goes_first()
    {
        var queue = new RelayQueue(LinkKind.SixLowpan, _now);
        for (var i = 0; i < 1000; i++)
        {
            queue.TryPut(1, 9, new byte[80]);
            queue.Spend(80, _now); // its own, a little more than the radio takes
            _now += TimeSpan.FromMilliseconds(RadioFrames.AirBytes(80) / 28.125 * 0.8);
            if (i > 100)
                Assert.False(queue.TryTake(out _, out _, _now));
        }
        _now += TimeSpan.FromMilliseconds(100);
        Assert.True(queue.TryTake(out _, out _, _now));
    }

    [Fact]
    public void One_neighbour_fills_no_more_than_half()
    {
        var queue = new RelayQueue(LinkKind.Ethernet, _now);
        while (queue.TryPut(1, 9, new byte[1000]))
        {
        }
        Assert.Equal(131, queue.Passing.Count());
        Assert.True(queue.TryPut(2, 9, new byte[1000]));
    }
}
