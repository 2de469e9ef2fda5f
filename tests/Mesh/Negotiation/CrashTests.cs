using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

public sealed class CrashTests
{
    /// <summary>Hundredths of a second after the move is asked for: through every phase of it and past its end.</summary>
    public static TheoryData<int> Moments => [.. Enumerable.Range(0, 20).Select(i => i * 10)];

    [Theory]
    [MemberData(nameof(Moments))]
    public void The_target_crashes_at_any_moment_of_a_move_and_stays_away(int hundredths)
    {
        var site = MovingFor(hundredths);
        site[2].Crash();
        site.Run(60);
        Assert.Equal(1, site.Nodes.Count(node => node.IsUp && node.Runs()));
        site[2].Start();
        site.Run(30);
        AssertSettled(site);
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void The_target_crashes_at_any_moment_of_a_move_and_is_back_at_once(int hundredths)
    {
        var site = MovingFor(hundredths);
        site[2].Crash();
        site[2].Start();
        site.Run(60);
        AssertSettled(site);
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void The_source_crashes_at_any_moment_of_a_move_and_stays_away(int hundredths)
    {
        var site = MovingFor(hundredths);
        site[1].Crash();
        site.Run(60);
        Assert.Equal(1, site.Nodes.Count(node => node.IsUp && node.Runs()));
        site[1].Start();
        site.Run(30);
        AssertSettled(site);
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void The_source_crashes_at_any_moment_of_a_move_and_is_back_at_once(int hundredths)
    {
        var site = MovingFor(hundredths);
        site[1].Crash();
        site[1].Start();
        site.Run(60);
        AssertSettled(site);
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public void A_partition_at_any_moment_of_a_move_heals_into_one_copy(int hundredths)
    {
        var site = MovingFor(hundredths);
        site.Links.Partition([site[1].Id]);
        site.Run(60);
        site.Links.Heal();
        site.Run(30);
        AssertSettled(site);
    }

    [Fact]
    public void When_the_owner_dies_exactly_one_node_rescues()
    {
        var site = Asking.With(5);
        site.Await(site[1], site[1].Move(site[4].Id));
        site.Run(1);
        site[4].Crash();
        site.Run(10);
        Assert.True(site[1].Runs()); // it was deployed there
        Assert.Equal(1, site.Nodes.Sum(node => node.Told.Count(told => told.Kind == "rescue")));
        site[4].Start();
        site.Run(10);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void When_the_origin_is_dead_too_the_lowest_alive_rescues()
    {
        var site = Asking.With(4);
        site[1].Crash();
        site.Run(10);
        Assert.True(site[2].Runs());
        site[1].Start();
        site.Run(10);
        site.AssertSettledOn(2);
    }

    [Fact]
    public void A_guardian_that_cannot_run_it_finds_a_node_that_can()
    {
        var site = Asking.With(4);
        site[2].Offer = Samples.MessagingOnly;
        site.Run(1);
        site[1].Crash();
        site.Run(10);
        Assert.True(site[3].Runs());
    }

    [Fact]
    public void A_rescue_whose_confirmation_is_lost_is_never_made_twice_at_one_epoch()
    {
        var site = Asking.With(3);
        site[2].Offer = Samples.MessagingOnly;
        site.Run(1);
        site[3].Drops = (_, message) => message is Activated or Records;
        site[1].Crash();
        Assert.True(site.RunUntil(site[3].Runs));
        site[2].Offer = Samples.Offer;
        site.Links.Partition([site[3].Id]);
        site.Run(60); // the guardian gives up on its heir and runs it itself: the invariants watch the epochs
        Assert.True(site[2].Runs());
        site[3].Drops = (_, _) => false;
        site.Links.Heal();
        site[1].Start();
        site.Run(30);
        AssertSettled(site);
    }

    [Fact]
    public void The_heir_of_an_unfinished_hand_over_is_the_one_who_restores_it()
    {
        var site = Asking.With(3);
        site[1].Drops = (_, message) => message is Activate;
        site[1].Move(site[3].Id);
        Assert.True(site.RunUntil(() => site[3].Known()!.State == WorkloadState.HandingOver));
        site[1].Crash();
        site.Run(10);
        Assert.True(site[3].Runs());
        Assert.DoesNotContain(site[2].Told, told => told.Kind == "rescue");
    }

    [Fact]
    public void A_restarted_owner_waits_for_what_others_know_before_it_starts_a_copy()
    {
        var site = Asking.With(3);
        site[1].Crash();
        site.Run(10);
        site.Watch = () => Assert.False(site[1].Runs());
        site[1].Start();
        site.Run(20);
        site.Watch = null;
        site.AssertSettledOn(2);
    }

    [Fact]
    public void The_copy_of_the_smaller_side_of_a_partition_ends_when_it_heals()
    {
        var site = Asking.With(3);
        site.Links.Partition([site[1].Id]);
        site.Run(20);
        Assert.True(site[1].Runs() && site[2].Runs()); // each side goes on
        site.Links.Heal();
        site.Run(5);
        site.AssertSettledOn(2);
        Assert.Contains(site[1].Told, told => told.Kind == "fenced");
    }

    [Fact]
    public void What_was_removed_while_a_node_was_away_does_not_come_back_with_it()
    {
        var site = Asking.With(3);
        site.Links.Partition([site[3].Id]);
        site.Run(70);
        Assert.True(site[3].Runs()); // it took the others for dead
        Assert.Equal("", site.Await(site[1], site[1].Remove()).Fault);
        site.Links.Heal();
        site.Run(20);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: false, mustBeGone: true));
        Assert.Equal("", site.Await(site[3], site[3].Deploy()).Fault);
        site.Run(2);
        site.AssertSettledOn(3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copy_that_ends_before_its_start_is_confirmed_is_started_again_or_removed_when_it_has_finished(bool finished)
    {
        var site = new SimulatedSite(1);
        site[1].Deploy();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        site[1].Ask((core, now) => core.CopyEnded(Asking.Id, finished, "it ended", now));
        Assert.True(site.RunUntil(site[1].Runs));
        site[1].Engine.Kill(Asking.Id);
        site.Run(10);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: !finished, mustBeGone: finished));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copy_that_ends_while_its_arrival_is_saved_is_started_again_or_removed_when_it_has_finished(bool finished)
    {
        var site = Asking.With(2);
        site[2].SaveDuration = TimeSpan.FromSeconds(1);
        site[1].Move();
        Assert.True(site.RunUntil(site[2].Runs));
        site[2].Engine.Kill(Asking.Id);
        site[2].Ask((core, now) => core.CopyEnded(Asking.Id, finished, "it ended", now));
        site.Run(20);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: !finished, mustBeGone: finished));
    }

    [Fact]
    public void An_application_that_has_finished_is_removed_everywhere()
    {
        var site = Asking.With(3);
        site[1].Engine.Kill(Asking.Id);
        site[1].Ask((core, now) => core.CopyEnded(Asking.Id, finished: true, "exit code 0", now));
        site.Run(5);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: false, mustBeGone: true));
    }

    [Fact]
    public void Records_reach_a_node_that_missed_every_broadcast()
    {
        var site = new SimulatedSite(3);
        site.Run(1);
        site[1].Drops = (_, message) => message is Records { WantsReply: false };
        site.Await(site[1], site[1].Deploy());
        Assert.True(site.RunUntil(() => site.Nodes.All(node => node.Known()?.Epoch == 1), secondsMax: 15));
    }

    [Fact]
    public void A_large_site_whose_every_broadcast_is_lost_knows_all_the_same_within_seconds()
    {
        var site = new SimulatedSite(40);
        site.Run(1);
        foreach (var node in site.Nodes)
            node.Drops = (_, message) => message is Records { WantsReply: false, Known: [_] } && site.Random.Next(2) == 0;
        site[1].Drops = (_, message) => message is Records { WantsReply: false };
        site.Await(site[1], site[1].Deploy());
        Assert.True(site.RunUntil(() => site.Nodes.All(node => node.Known()?.Epoch == 1), secondsMax: 20));
    }

    [Fact]
    public void Who_comes_to_a_large_site_is_not_told_everything_by_everybody()
    {
        var site = Asking.With(40);
        var before = site.Nodes.ToDictionary(node => node.Id, node => node.Sent.Count);
        site[40].Crash();
        site.Run(10);
        site[40].Start();
        Assert.True(site.RunUntil(() => site[40].Known() is not null, secondsMax: 5));
        site.Run(5);
        var tellers = site.Nodes.Count(node => node.Sent.Skip(before[node.Id]).Any(sent => sent.To == site[40].Id && sent.Message is Records { WantsReply: true }));
        Assert.InRange(tellers, 1, 15);
    }

    private static SimulatedSite MovingFor(int hundredths)
    {
        var site = Asking.With(3, Samples.WithVolumes());
        site[1].SaveDuration = site[2].SaveDuration = TimeSpan.FromMilliseconds(60);
        site[1].Move(site[2].Id);
        site.Run(hundredths / 100.0);
        return site;
    }

    private static void AssertSettled(SimulatedSite site) =>
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: true, mustBeGone: false));
}
