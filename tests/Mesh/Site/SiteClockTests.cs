using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Site;

namespace EdgeFirmware.Mesh.Tests.Site;

public sealed class SiteClockTests
{
    private const long Today = TestSite.Today;
    private const long Minute = 60_000;
    private static readonly Instant Start = new(1_000_000);

    public static TheoryData<string, long, long?[], bool, long> Clocks => new()
    {
        // why, own clock, what peers say, is it known, which time
        { "all right", Today, [Today, Today + 1000], true, Today },
        { "two that agree", Today, [Today + Minute], true, Today },
        { "alone", Today, [], false, Today },
        { "own clock at 1970 among right ones", 0, [Today, Today, Today], true, Today },
        { "own clock a year ahead among right ones", Today + 365 * TestSite.Day, [Today, Today, Today], true, Today },
        { "one right clock among three nodes without", 0, [Today, null, null], false, Today },
        { "two right clocks of five nodes", Today, [Today, null, null, null], false, Today },
        { "three right clocks of five nodes", Today, [Today, Today, null, null], true, Today },
        { "two against two", Today, [Today, Today + TestSite.Day, Today + TestSite.Day], false, Today },
        { "a liar among four", Today, [Today, Today, Today + 1000 * TestSite.Day], true, Today },
        { "nobody has a clock", 0, [null, 0L, 5000L], false, Today - TestSite.Day },
        { "peers before the last known time have no vote", Today, [Today - 2 * TestSite.Day, Today - 2 * TestSite.Day], false, Today },
    };

    [Theory]
    [MemberData(nameof(Clocks))]
    public void The_time_is_what_more_than_half_agree_on(string why, long own, long?[] peers, bool isKnown, long time)
    {
        var clock = new SiteClock(Today - TestSite.Day);
        for (var i = 0; i < peers.Length; i++)
            clock.Heard(TestSite.Node(i + 1), peers[i], Start);
        clock.Advance(own, Start);
        Assert.True(isKnown == clock.Time.IsKnown, $"{why}: {clock.Time}");
        Assert.InRange(clock.Time.Milliseconds, time, time + Minute);
    }

    [Fact]
    public void Votes_stay_good_while_nobody_speaks_and_are_forgotten_after_a_day()
    {
        var clock = new SiteClock(Today - TestSite.Day);
        clock.Heard(TestSite.Node(1), Today, Start);
        clock.Heard(TestSite.Node(2), Today, Start);
        clock.Advance(0, Start + TimeSpan.FromHours(23));
        Assert.Equal((true, Today + 23 * 60 * Minute), (clock.Time.IsKnown, clock.Time.Milliseconds));
        clock.Advance(0, Start + TimeSpan.FromHours(25));
        Assert.False(clock.Time.IsKnown);
        Assert.InRange(clock.Time.Milliseconds, Today + 22 * 60 * Minute, long.MaxValue); // but what was known remains the least it can be
    }

    [Fact]
    public void The_last_known_time_only_grows_and_is_worth_a_write_once_a_day()
    {
        var clock = new SiteClock(Today - TestSite.Day / 2);
        clock.Heard(TestSite.Node(1), Today, Start);
        clock.Advance(Today, Start);
        Assert.False(clock.IsWorthSaving);
        var bound = clock.Bound;
        clock.Advance(0, Start + TimeSpan.FromHours(1)); // a clock set back changes nothing
        Assert.InRange(clock.Bound, bound, long.MaxValue);
        clock.Heard(TestSite.Node(1), Today + TestSite.Day, Start + TimeSpan.FromDays(1));
        clock.Advance(Today + TestSite.Day, Start + TimeSpan.FromDays(1));
        Assert.True(clock.IsWorthSaving);
        clock.Saved();
        Assert.False(clock.IsWorthSaving);
    }

    [Fact]
    public void A_lone_node_whose_clock_leaps_into_the_future_learns_nothing_from_it()
    {
        var clock = new SiteClock(Today);
        clock.Advance(Today + 10_000 * TestSite.Day, Start);
        Assert.Equal((false, Today), (clock.Time.IsKnown, clock.Bound));
    }

    [Fact]
    public void A_node_that_is_shut_out_has_no_vote_and_voters_are_bounded()
    {
        var clock = new SiteClock(Today - TestSite.Day);
        for (var i = 0; i < 2000; i++)
            clock.Heard(TestSite.Node(i), Today, Start + TimeSpan.FromMilliseconds(i));
        clock.Advance(Today, Start + TimeSpan.FromSeconds(3));
        Assert.True(clock.Time.IsKnown);
        var two = new SiteClock(Today - TestSite.Day);
        two.Heard(TestSite.Node(1), Today, Start);
        two.Forget(TestSite.Node(1));
        two.Advance(Today, Start);
        Assert.False(two.Time.IsKnown);
    }
}
