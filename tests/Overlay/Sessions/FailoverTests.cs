using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Tests.Sessions;

/// <summary>A stream of 50 messages a second goes on while its way breaks: each message once, in order, and soon.</summary>
public sealed class FailoverTests
{
    private const double Interval = 0.02;

    private readonly Way _wan = Way.Wan();
    private readonly Way _radio = Way.Radio();
    private readonly Dictionary<int, Instant> _sentAt = [];
    private int _sent;

    [Fact]
    public void A_lost_carrier_costs_less_than_the_time_between_messages_and_a_few_round_trips()
    {
        var pair = Streaming(1, 40);
        pair.At(10.001, () => pair.Carrier(_wan, false));
        Finish(pair);
        Assert.InRange(WorstDelay(pair), TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
        Assert.Contains("no carrier on wan0", pair.Left.Switches[^1].Why, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_black_hole_is_left_within_less_than_a_second(int seed)
    {
        var pair = Streaming(seed, 40);
        pair.At(10.003, () => _wan.IsBlackHole = true);
        Finish(pair);
        Assert.InRange(WorstDelay(pair), TimeSpan.Zero, TimeSpan.FromMilliseconds(800));
        Assert.Equal("lowpan0", pair.Left.Session.Current!.LinkName);
        Assert.Contains("nothing acknowledged over wan0", pair.Left.Switches[^1].Why, StringComparison.Ordinal);
    }

    [Fact]
    public void It_returns_without_an_interruption()
    {
        var pair = Streaming(2, 60);
        _wan.LossLeft = _wan.LossRight = 0.1;
        pair.At(10, () => pair.Carrier(_wan, false));
        pair.At(20, () => pair.Carrier(_wan, true));
        Finish(pair);
        Assert.Equal("wan0", pair.Left.Session.Current!.LinkName);
        Assert.Equal(3, pair.Left.Switches.Count); // the first choice, away and back: no flap at a loss of a tenth
        Assert.InRange(WorstDelay(pair), TimeSpan.Zero, TimeSpan.FromMilliseconds(600));
    }

    [Fact]
    public void A_flapping_link_is_not_followed()
    {
        var pair = Streaming(3, 300);
        for (var at = 2; at < 300; at += 4)
        {
            pair.At(at, () => pair.Carrier(_wan, false));
            pair.At(at + 2, () => pair.Carrier(_wan, true));
        }
        Finish(pair);
        Assert.InRange(pair.Left.Switches.Count, 2, 4);
        Assert.InRange(WorstDelay(pair), TimeSpan.Zero, TimeSpan.FromMilliseconds(300));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void With_a_fifth_lost_each_way_everything_comes_within_two_seconds(int seed)
    {
        var pair = new Pair(seed, _wan);
        _wan.LossLeft = _wan.LossRight = 0.2;
        Stream(pair, 60);
        Finish(pair);
        var delays = Delays(pair);
        Assert.InRange(delays[(int)(delays.Count * 0.99)], TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.Single(pair.Left.Switches);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Only_one_direction_of_the_black_hole_is_enough(int seed)
    {
        var pair = Streaming(seed, 40);
        pair.At(10, () => _wan.LossRight = 1);
        Finish(pair);
        Assert.InRange(WorstDelay(pair), TimeSpan.Zero, TimeSpan.FromMilliseconds(800));
    }

    [Fact]
    public void With_no_way_left_nothing_is_lost_and_it_goes_on_when_there_is_one()
    {
        var pair = Streaming(4, 60);
        pair.At(10, () => { pair.Carrier(_wan, false); _radio.IsBlackHole = true; });
        pair.At(40, () => _radio.IsBlackHole = false);
        Finish(pair, 90);
        Assert.Contains(pair.Left.Switches, change => change.To is null);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Whatever_the_ways_do_each_message_comes_once_and_in_order(int seed)
    {
        var random = new Random(seed);
        _wan.Jitter = TimeSpan.FromMilliseconds(30);
        var pair = Streaming(seed, 120);
        for (var at = 1.0; at < 110; at += random.NextDouble() * 4)
        {
            var way = random.Next(3) == 0 ? _radio : _wan;
            pair.At(at, random.Next(5) switch
            {
                0 => () => pair.Carrier(way, false),
                1 => () => pair.Carrier(way, true),
                2 => () => way.IsBlackHole = !way.IsBlackHole,
                3 => () => way.LossRight = random.NextDouble() * 0.5,
                _ => () => way.LossLeft = random.NextDouble() * 0.5,
            });
        }
        pair.At(112, () =>
        {
            foreach (var way in pair.Ways)
                (way.IsBlackHole, way.LossLeft, way.LossRight) = (false, 0, 0);
            pair.Carrier(_wan, true);
            pair.Carrier(_radio, true);
        });
        Finish(pair, 120);
    }

    public static IEnumerable<object[]> Seeds => Enumerable.Range(1, 20).Select(seed => new object[] { seed });

    private Pair Streaming(int seed, double seconds)
    {
        var pair = new Pair(seed, _wan, _radio);
        Stream(pair, seconds);
        return pair;
    }

    private void Stream(Pair pair, double seconds)
    {
        for (var at = 1.0; at < seconds - 1; at += Interval)
            pair.At(at, () =>
            {
                _sentAt[_sent] = pair.Now;
                Assert.True(pair.Left.Send(1, _sent++));
            });
        _duration = seconds;
    }

    private double _duration;

    private void Finish(Pair pair, double extra = 5)
    {
        pair.Run(_duration + extra);
        Assert.Equal(Enumerable.Range(0, _sent), pair.Right.Got.Select(message => message.Number));
        Assert.Equal(Enumerable.Range(0, _sent).Select(number => (long)number), pair.Left.Delivered);
        Assert.True(pair.Left.Session.IsIdle);
    }

    private List<TimeSpan> Delays(Pair pair) => [.. pair.Right.Got.Select(message => message.At - _sentAt[message.Number]).Order()];

    private TimeSpan WorstDelay(Pair pair) => Delays(pair)[^1];
}
