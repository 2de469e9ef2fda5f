using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Tests.Paths;

public sealed class PathTests
{
    private Instant _now = new(1_000_000_000);

    [Fact]
    public void Without_one_in_use_the_best_that_is_usable_is_used()
    {
        var (wifi, wire, radio) = (Usable(LinkKind.Wifi), Usable(LinkKind.Ethernet), Usable(LinkKind.SixLowpan));
        Assert.Equal((wire, "the first that answers"), PathChoice.Of([wifi, wire, radio], null, _now));
    }

    [Fact]
    public void Through_others_only_where_there_is_no_better_link_and_then_over_the_fewest()
    {
        var (modem, radio) = (Usable(LinkKind.Cellular), Usable(LinkKind.SixLowpan));
        var (wired, longer, throughRadio) = (Relayed(LinkKind.Ethernet, 2), Relayed(LinkKind.Ethernet, 4), Relayed(LinkKind.SixLowpan, 2));
        Assert.Equal(modem, PathChoice.Of([throughRadio, longer, wired, radio, modem], null, _now).Path);
        Assert.Equal(wired, PathChoice.Of([throughRadio, longer, wired, radio], null, _now).Path);
        Assert.Equal(longer, PathChoice.Of([throughRadio, longer, radio], null, _now).Path);
        Assert.Equal(radio, PathChoice.Of([throughRadio, radio], null, _now).Path);
    }

    [Fact]
    public void One_that_lost_its_carrier_is_left_at_once()
    {
        var (wire, radio) = (Usable(LinkKind.Ethernet), Usable(LinkKind.SixLowpan));
        wire.LinkIs(false, _now);
        Assert.Equal((radio, "no carrier on Ethernet"), PathChoice.Of([wire, radio], wire, _now));
        Assert.Null(PathChoice.Of([wire], wire, _now).Path);
    }

    [Fact]
    public void Where_none_is_usable_one_that_answers_is_used_and_stayed_with()
    {
        var (first, second) = (Recovering(LinkKind.Wifi), Recovering(LinkKind.Ethernet));
        Assert.Equal(second, PathChoice.Of([first, second], null, _now).Path);
        Assert.Equal((first, ""), PathChoice.Of([first, second], first, _now));
        var usable = Usable(LinkKind.SixLowpan);
        Assert.Equal(usable, PathChoice.Of([first, usable, second], first, _now).Path);
    }

    [Fact]
    public void One_that_is_silent_is_left_only_for_one_that_has_carried_something_since()
    {
        var (wire, radio) = (Usable(LinkKind.Ethernet), Usable(LinkKind.SixLowpan));
        wire.Expect(_now);
        Pass(2);
        Assert.True(wire.IsStalled(_now));
        Assert.Equal((wire, ""), PathChoice.Of([wire, radio], wire, _now));
        radio.Confirm(_now, isSample: false, _now);
        Assert.Equal(radio, PathChoice.Of([wire, radio], wire, _now).Path);
    }

    [Theory]
    [InlineData(0.9, false)]
    [InlineData(1.1, true)]
    public void A_better_one_is_used_when_it_has_held_for_long_enough(double seconds, bool isLeft)
    {
        var (radio, wire) = (Usable(LinkKind.SixLowpan), Usable(LinkKind.Ethernet));
        Pass(seconds);
        Assert.Equal(isLeft ? wire : radio, PathChoice.Of([radio, wire], radio, _now).Path);
    }

    [Fact]
    public void A_worse_one_is_not_used_however_long_it_holds()
    {
        var (radio, wire) = (Usable(LinkKind.SixLowpan), Usable(LinkKind.Ethernet));
        Pass(10_000);
        Assert.Equal((wire, ""), PathChoice.Of([radio, wire], wire, _now));
    }

    [Fact]
    public void Each_loss_doubles_the_hold_down_and_time_forgives_one_after_the_other()
    {
        var path = Usable(LinkKind.Ethernet);
        var seconds = new List<double> { path.HoldDown.TotalSeconds };
        for (var i = 0; i < 9; i++)
        {
            path.LinkIs(false, _now);
            path.LinkIs(true, _now);
            path.Met(_now);
            seconds.Add(path.HoldDown.TotalSeconds);
        }
        Assert.Equal([1, 5, 10, 20, 40, 80, 160, 320, 320, 320], seconds);
        Pass(599);
        path.Confirm(_now, isSample: false, _now);
        Assert.Equal(320, path.HoldDown.TotalSeconds);
        foreach (var left in new[] { 160, 80, 40 })
        {
            Pass(601);
            path.Confirm(_now, isSample: false, _now);
            Assert.Equal(left, path.HoldDown.TotalSeconds);
        }
    }

    [Fact]
    public void One_whose_link_was_away_is_asked_at_once_and_usable_when_it_answers()
    {
        var path = Usable(LinkKind.SixLowpan);
        path.LinkIs(false, _now);
        Assert.Equal(Instant.Never, path.NextWakeup);
        Pass(1000);
        path.LinkIs(true, _now);
        Assert.False(path.IsUsable);
        Assert.Equal(_now, path.NextPingAt);
        path.Pong(path.Ping(_now), _now);
        Assert.True(path.IsUsable);
    }

    [Fact]
    public void A_doubt_ends_with_an_answer_and_also_when_the_path_is_dead()
    {
        var path = Usable(LinkKind.SixLowpan);
        path.Doubt(_now);
        Assert.Equal(_now, path.NextPingAt);
        path.Pong(path.Ping(_now), _now);
        Assert.False(path.IsDoubted);
        path.Doubt(_now);
        for (var i = 0; i < 20 && path.IsUsable; i++)
            Miss(path);
        Assert.False(path.IsUsable);
        Assert.False(path.IsDoubted);
        Assert.Equal(_now + TimeSpan.FromSeconds(15), path.NextPingAt);
    }

    private PeerPath Relayed(LinkKind kind, int hops)
    {
        var path = Usable(PathKey.Through(hops, 9), kind);
        path.Hops = hops;
        return path;
    }

    private PeerPath Usable(LinkKind kind) => Usable(new PathKey((int)kind + 1, new IPEndPoint(IPAddress.Loopback, 1)), kind);

    private PeerPath Usable(PathKey key, LinkKind kind)
    {
        var path = new PeerPath(key, kind.ToString(), kind, _now);
        path.Pong(path.Ping(_now), _now);
        Assert.True(path.IsUsable);
        return path;
    }

    private PeerPath Recovering(LinkKind kind)
    {
        var path = Usable(kind);
        while (path.IsUsable)
            Miss(path);
        path.Pong(path.Ping(_now), _now);
        Assert.True(path is { IsUsable: false, IsAnswering: true });
        return path;
    }

    private void Miss(PeerPath path)
    {
        path.Ping(_now);
        Pass(4);
        path.Advance(_now);
    }

    private void Pass(double seconds) => _now += TimeSpan.FromSeconds(seconds);
}
