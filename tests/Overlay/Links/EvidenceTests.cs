using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Overlay.Tests.Links;

public sealed class EvidenceTests
{
    [Fact]
    public void The_round_trip_is_smoothed_as_TCP_does()
    {
        var estimate = new RoundTripEstimate();
        Assert.Equal(TimeSpan.FromSeconds(1), estimate.Patience(0));
        estimate.Add(TimeSpan.FromMilliseconds(400));
        Assert.Equal((400, 200), (estimate.Smoothed!.Value.TotalMilliseconds, estimate.Variation!.Value.TotalMilliseconds));
        Assert.Equal(1200, estimate.Patience(0).TotalMilliseconds);
        estimate.Add(TimeSpan.FromMilliseconds(800));
        Assert.Equal((450, 250), (estimate.Smoothed!.Value.TotalMilliseconds, estimate.Variation!.Value.TotalMilliseconds));
        Assert.Equal(1450, estimate.Patience(0).TotalMilliseconds);
    }

    [Fact]
    public void Patience_grows_while_answers_are_missed_and_has_its_bounds()
    {
        var estimate = new RoundTripEstimate();
        estimate.Add(TimeSpan.FromMilliseconds(1));
        Assert.Equal([250, 375], new[] { 0, 1 }.Select(missed => estimate.Patience(missed).TotalMilliseconds));
        Assert.Equal(estimate.Patience(3), estimate.Patience(1000));
        estimate.Add(TimeSpan.FromSeconds(30));
        Assert.Equal(RoundTripEstimate.PatienceMax, estimate.Patience(0));
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(6, 6)]
    [InlineData(12, 8)]
    [InlineData(32, 8)]
    public void The_more_is_usually_lost_the_longer_a_silence_has_to_be(int lostOf64, int needed)
    {
        var window = new LossWindow();
        for (var i = 0; i < 64; i++)
            window.Add(i < lostOf64, isAlive: true);
        Assert.Equal(lostOf64 / 64.0, window.Ratio);
        Assert.Equal(needed, window.SilenceNeeded);
        window.Add(isLost: true, isAlive: true);
        window.Add(isLost: true, isAlive: true);
        Assert.Equal(2, window.Missed);
        Assert.Equal(needed, window.SilenceNeeded);
    }

    [Fact]
    public void What_was_lost_while_the_link_was_dead_is_not_what_it_usually_loses()
    {
        var window = new LossWindow();
        for (var i = 0; i < 30; i++)
            window.Add(isLost: false, isAlive: true);
        for (var i = 0; i < 30; i++)
            window.Add(isLost: true, isAlive: i < 3);
        window.Add(isLost: false, isAlive: false);
        window.Add(isLost: false, isAlive: true);
        Assert.Equal((LossWindow.SilenceMin, 0), (window.SilenceNeeded, window.Missed));
        Assert.InRange(window.Ratio!.Value, 0.4, 0.5);
    }

    [Fact]
    public void Nothing_but_silence_is_no_reason_to_wait_longer()
    {
        var window = new LossWindow();
        for (var i = 0; i < 100; i++)
            window.Add(isLost: true, isAlive: true);
        Assert.Equal((1.0, LossWindow.SilenceMin), (window.Ratio!.Value, window.SilenceNeeded));
    }

    [Fact]
    public void A_loss_is_forgiven_when_the_link_has_been_calm()
    {
        var now = new Instant(0);
        var proof = new Proof();
        proof.Answered(now);
        Lose();
        Assert.Equal(2, AnswersToReturn());
        Lose();
        Assert.Equal(4, AnswersToReturn());
        for (var minute = 0; minute < 5; minute++)
            proof.Answered(now += TimeSpan.FromMinutes(1));
        Lose();
        Assert.Equal(2, AnswersToReturn());

        void Lose()
        {
            while (proof.Holds == true)
                proof.Lost(3);
        }

        int AnswersToReturn()
        {
            var count = 0;
            while (proof.Holds != true)
            {
                proof.Answered(now);
                count++;
            }
            return count;
        }
    }

    [Fact]
    public void A_bounded_budget_never_lets_more_through_than_half_a_percent_of_the_channel_and_one_burst()
    {
        var now = new Instant(0);
        var budget = new ProbeBudget(isBounded: true, now);
        var bytes = 0;
        while (now < new Instant(3600_000_000L))
        {
            now = budget.ReadyAt(now);
            budget.Spend(now);
            bytes += ProbeBudget.ProbeBytes;
        }
        Assert.InRange(bytes, 3500 * 156, 3600 * 156 + 7 * ProbeBudget.ProbeBytes);
    }
}
