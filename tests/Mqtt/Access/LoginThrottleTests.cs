using System.Net;
using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Mqtt.Tests.Access;

public sealed class LoginThrottleTests
{
    private static readonly IPAddress Guesser = IPAddress.Parse("192.0.2.7");

    private readonly LoginThrottleOptions _options = new();
    private LoginThrottle? _made;
    private TimeSpan _now = TimeSpan.FromHours(1);

    private LoginThrottle Throttle => _made ??= new LoginThrottle(_options);

    [Fact]
    public void Five_failures_are_free_five_more_are_slow_and_then_it_is_refused()
    {
        var waits = Enumerable.Range(0, 10).Select(_ => FailOnce(Guesser).TotalSeconds).ToArray();
        Assert.Equal([0, 0, 0, 0, 0], waits[..5]);
        Assert.All(waits[5..].Zip([1, 2, 4, 8, 8]), pair => Assert.InRange(pair.First, pair.Second - 0.01, pair.Second + 0.01));
        Assert.Equal(LoginVerdict.Refuse, Throttle.Begin(Guesser, _now));
        Assert.Equal([(Guesser, TimeSpan.FromMinutes(5))], Throttle.Refused(_now));
    }

    [Fact]
    public void A_refusal_ends_and_the_next_one_is_twice_as_long_until_the_address_was_quiet()
    {
        Assert.Equal(5, MinutesRefused());
        Assert.Equal(10, MinutesRefused());
        Assert.Equal(20, MinutesRefused());
        Assert.Equal(40, MinutesRefused());
        Assert.Equal(60, MinutesRefused());
        Assert.Equal(60, MinutesRefused());
        _now += TimeSpan.FromHours(2);
        Assert.Equal(5, MinutesRefused());
    }

    [Fact]
    public void A_guesser_has_few_guesses_a_day()
    {
        var guesses = 0;
        for (var end = _now + TimeSpan.FromDays(1); _now < end;)
        {
            var verdict = Throttle.Begin(Guesser, _now);
            if (verdict.MayGoOn)
            {
                guesses++;
                Throttle.End(Guesser, failed: true, _now, out _);
            }

            _now += TimeSpan.FromSeconds(0.5);
        }

        Assert.InRange(guesses, 50, 200);
    }

    [Fact]
    public void A_success_of_ones_own_buys_no_guesses()
    {
        for (var i = 0; i < 30 && !Throttle.Refused(_now).Any(); i++)
        {
            FailOnce(Guesser);
            if (Throttle.Refused(_now).Any()) break;
            _now += TimeSpan.FromSeconds(9);
            Assert.True(Throttle.Begin(Guesser, _now).MayGoOn);
            Throttle.End(Guesser, failed: false, _now, out _);
        }

        Assert.NotEmpty(Throttle.Refused(_now));
    }

    [Fact]
    public void Guesses_at_the_same_moment_are_not_free()
    {
        var begun = Enumerable.Range(0, 1000).Count(_ => Throttle.Begin(Guesser, _now).MayGoOn);
        Assert.Equal(_options.FreeFailures, begun);
        Assert.Equal(LoginVerdict.WaitFor(_options.Delay / 20), Throttle.Begin(Guesser, _now));
    }

    [Fact]
    public void Failures_are_forgotten_with_time()
    {
        for (var i = 0; i < 4; i++) FailOnce(Guesser);
        _now += TimeSpan.FromMinutes(4);
        for (var i = 0; i < 5; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Guesser));
    }

    [Theory]
    [InlineData("2001:db8::1", "2001:db8::ffff:2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("::ffff:192.0.2.7", "192.0.2.7", true)]
    [InlineData("fe80::1%2", "fe80::2%2", false)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    public void Addresses_that_are_one_machine_s_count_as_one(string one, string other, bool same) =>
        Assert.Equal(same, LoginThrottle.KeyOf(IPAddress.Parse(one)).Equals(LoginThrottle.KeyOf(IPAddress.Parse(other))));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Loopback_is_slowed_and_never_refused(string address)
    {
        for (var i = 0; i < 100; i++) Assert.InRange(FailOnce(IPAddress.Parse(address)), TimeSpan.Zero, _options.DelayMax + TimeSpan.FromSeconds(0.1));
        Assert.Empty(Throttle.Refused(_now));
    }

    [Fact]
    public void An_exempt_network_is_left_alone()
    {
        _options.Exempt = [IPNetwork.Parse("192.0.2.0/24")];
        for (var i = 0; i < 100; i++) Assert.Equal(TimeSpan.Zero, FailOnce(Guesser));
        Assert.Equal((0, 100L), (Throttle.Addresses, Throttle.Failures));
    }

    [Fact]
    public void Memory_is_bounded_and_many_addresses_do_not_free_one_that_is_refused()
    {
        while (!Throttle.Refused(_now).Any()) FailOnce(Guesser);
        for (var i = 0; i < 10_000; i++) FailOnce(new IPAddress([10, 1, (byte)(i >> 8), (byte)i]));
        Assert.Equal(_options.AddressesMax, Throttle.Addresses);
        Assert.Equal(LoginVerdict.Refuse, Throttle.Begin(Guesser, _now));
    }

    [Fact]
    public void An_address_can_be_pardoned()
    {
        while (!Throttle.Refused(_now).Any()) FailOnce(Guesser);
        Assert.True(Throttle.Pardon(Guesser, _now));
        Assert.False(Throttle.Pardon(Guesser, _now));
        Assert.True(Throttle.Begin(Guesser, _now).MayGoOn);
    }

    /// <summary>Waits as told, fails, and says how long it took.</summary>
    private TimeSpan FailOnce(IPAddress address)
    {
        var began = _now;
        for (var verdict = Throttle.Begin(address, _now); !verdict.MayGoOn; verdict = Throttle.Begin(address, _now, waited: true)) _now += verdict.Wait!.Value;
        Throttle.End(address, failed: true, _now, out _);
        return _now - began;
    }

    private double MinutesRefused()
    {
        while (!Throttle.Refused(_now).Any()) FailOnce(Guesser);
        var left = Throttle.Refused(_now).Single().Left;
        _now += left;
        return Math.Round(left.TotalMinutes, 2);
    }
}
