using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Client;

public sealed class BackOffTests
{
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), new Random(1));

    [Fact]
    public void Each_failure_doubles_the_wait_up_to_the_bound_and_each_wait_is_a_part_of_it()
    {
        foreach (var longest in (double[])[1, 2, 4, 8, 8, 8])
        {
            var wait = _backOff.Next(TimeSpan.Zero).TotalSeconds;
            Assert.InRange(wait, longest / 2, longest);
        }
    }

    [Fact]
    public void Two_clients_do_not_wait_alike()
    {
        var other = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8), new Random(2));
        Assert.NotEqual(_backOff.Next(TimeSpan.Zero), other.Next(TimeSpan.Zero));
    }

    [Fact]
    public void A_connection_that_lasted_starts_anew_and_one_that_did_not_is_a_failure()
    {
        for (var i = 0; i < 3; i++) _backOff.Next(TimeSpan.Zero);
        Assert.InRange(_backOff.Next(TimeSpan.FromSeconds(1)).TotalSeconds, 4, 8);
        Assert.InRange(_backOff.Next(TimeSpan.FromSeconds(60)).TotalSeconds, 0.5, 1);
    }
}
