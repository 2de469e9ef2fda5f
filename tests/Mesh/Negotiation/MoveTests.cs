using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

public sealed class MoveTests
{
    [Fact]
    public void A_move_ends_with_one_copy_at_the_next_epoch_and_its_figures()
    {
        var site = Asking.With(3, Samples.WithVolumes());
        var answer = site.Await(site[1], site[1].Move(site[3].Id));
        Assert.Equal("", answer.Fault);
        Assert.Equal((site[1].Id, site[3].Id, 2L), (answer.Figures!.From, answer.Figures.To, answer.Figures.Epoch));
        Assert.InRange(answer.Figures.SelectionMilliseconds, 1, 100);
        Assert.InRange(answer.Figures.FreezeMilliseconds, 100, 1000);
        Assert.Equal(2000, answer.Figures.BytesSent);
        site.Run(1);
        site.AssertSettledOn(3);
        Assert.Empty(site[1].Engine.Containers);
    }

    [Fact]
    public void At_no_instant_do_two_copies_run_in_a_planned_move()
    {
        var site = Asking.With(2);
        site.Watch = () => Assert.InRange(site.Nodes.Count(node => node.Runs()), 0, 1);
        for (var i = 0; i < 10; i++)
        {
            var owner = site.Nodes.Single(node => node.Runs());
            Assert.Equal("", site.Await(owner, owner.Move()).Fault);
            site.Run(1);
        }
        Assert.Equal(11, site[1].Known()!.Epoch);
    }

    [Fact]
    public void A_failed_transfer_goes_to_the_next_candidate_and_the_copy_runs_meanwhile()
    {
        var site = Asking.With(3);
        var broken = false;
        site[1].Engine.Outcome = work => work.Kind == WorkKind.Transfer && !broken && (broken = true) ? "connection reset" : "";
        var answer = site.Await(site[1], site[1].Move());
        Assert.Equal(site[3].Id, answer.Figures!.To);
        Assert.Contains(site[1].Told, told => told.Kind == "transfer-failed");
    }

    [Theory]
    [InlineData(WorkKind.Quiesce, 1)]
    [InlineData(WorkKind.TransferVolumes, 1)]
    public void Before_the_hand_over_a_failure_takes_it_back_at_its_own_epoch(WorkKind failing, long epoch)
    {
        var site = Asking.With(2, Samples.WithVolumes());
        site[1].Engine.Outcome = work => work.Kind == failing ? "it cannot" : "";
        Assert.Contains("it cannot", site.Await(site[1], site[1].Move()).Fault, StringComparison.Ordinal);
        site.Run(2);
        site.AssertSettledOn(1);
        Assert.Equal(epoch, site[1].Known()!.Epoch);
    }

    [Fact]
    public void A_copy_that_does_not_start_again_after_a_failed_move_is_not_thought_to_run()
    {
        var site = Asking.With(2, Samples.WithVolumes());
        var starts = 0;
        site[1].Engine.Outcome = work => work.Kind == WorkKind.TransferVolumes || (work.Kind == WorkKind.Start && starts++ == 0) ? "no" : "";
        site.Await(site[1], site[1].Move());
        Assert.Empty(site[1].Core!.Running);
        site.Run(20);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: true, mustBeGone: false));
    }

    [Fact]
    public void A_start_that_fails_at_the_peer_brings_it_back_one_epoch_further()
    {
        var site = Asking.With(2);
        site[2].Engine.Outcome = work => work.Kind == WorkKind.Start ? "exec format error" : "";
        Assert.Contains("exec format error", site.Await(site[1], site[1].Move()).Fault, StringComparison.Ordinal);
        site.Run(1);
        site.AssertSettledOn(1);
        Assert.Equal(3, site[1].Known()!.Epoch);
        Assert.Empty(site[2].Engine.Containers);
    }

    [Fact]
    public void A_full_disk_at_the_owner_stops_the_hand_over()
    {
        var site = Asking.With(2);
        site[1].IsDiskFull = true;
        Assert.Contains("no space", site.Await(site[1], site[1].Move()).Fault, StringComparison.Ordinal);
        Assert.DoesNotContain(site[1].Sent, sent => sent.Message is Activate);
        site.Run(2);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void A_full_disk_at_the_peer_brings_it_back()
    {
        var site = Asking.With(2);
        site[2].IsDiskFull = true;
        Assert.Contains("no space", site.Await(site[1], site[1].Move()).Fault, StringComparison.Ordinal);
        site[2].IsDiskFull = false;
        site.Run(2);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void Lost_doubled_and_late_activations_start_it_once()
    {
        var site = Asking.With(2);
        site.Links.Duplication = 1;
        var (activations, starts) = (0, 0);
        site[1].Drops = (_, message) => message is Activate && activations++ < 3;
        site[2].Engine.Outcome = work => work.Kind == WorkKind.Start && ++starts > 1 ? "twice" : "";
        Assert.Equal("", site.Await(site[1], site[1].Move()).Fault);
        site.Run(40);
        site.AssertSettledOn(2);
        Assert.Equal(1, starts);
    }

    [Fact]
    public void A_lost_confirmation_is_made_up_for_by_the_next_activation()
    {
        var site = Asking.With(2);
        var lost = 0;
        site[2].Drops = (_, message) => message is Records || (message is Activated && lost++ < 3);
        Assert.Equal("", site.Await(site[1], site[1].Move()).Fault);
        site.AssertSettledOn(2);
    }

    [Fact]
    public void A_peer_that_never_confirms_is_fenced_by_a_higher_epoch()
    {
        var site = Asking.With(2);
        site[2].Drops = (_, message) => message is Activated or Records;
        Assert.Contains("did not answer", site.Await(site[1], site[1].Move()).Fault, StringComparison.Ordinal);
        site[2].Drops = (_, _) => false;
        site.Run(15);
        site.AssertSettledOn(1);
        Assert.Contains(site[2].Told, told => told.Kind == "fenced");
    }

    [Fact]
    public void A_cancel_that_is_lost_never_leads_to_a_start_and_the_lease_ends()
    {
        var site = Asking.With(2, Samples.WithVolumes());
        site[1].Engine.Outcome = work => work.Kind == WorkKind.Quiesce ? "it cannot" : "";
        site[1].Drops = (_, message) => message is Cancel;
        site.Await(site[1], site[1].Move());
        site.Run(5);
        Assert.Contains(Asking.Id, site[2].Engine.Containers);
        site.Run(35);
        Assert.Empty(site[2].Engine.Containers);
        site.AssertSettledOn(1);
        Assert.DoesNotContain(site[2].Told, told => told.Kind == "arrived");
    }

    [Fact]
    public void A_workload_that_takes_long_to_stop_does_not_outlive_the_lease()
    {
        var site = Asking.With(2, Samples.Workload() with { StopSeconds = 60 });
        var ordinary = site[1].Engine.Duration;
        site[1].Engine.Duration = work => work.Kind == WorkKind.Quiesce ? TimeSpan.FromSeconds(55) : ordinary(work);
        Assert.Equal("", site.Await(site[1], site[1].Move(), 100).Fault);
    }

    [Fact]
    public void A_node_that_is_waiting_for_slow_volumes_does_not_spin()
    {
        var site = Asking.With(2, Samples.WithVolumes());
        site[1].Engine.Duration = work => work.Kind == WorkKind.TransferVolumes ? TimeSpan.FromMinutes(25) : TimeSpan.FromMilliseconds(50);
        site[1].Move();
        site.Run(21 * 60);
        Assert.True(site[1].Core!.NextWakeup > site.Events.Now);
    }

    [Fact]
    public void An_overloaded_node_gives_up_its_heaviest_workload()
    {
        var site = Asking.With(2);
        var heavy = Samples.Workload("heavy") with { CpuCores = 1 };
        site.Await(site[1], site[1].Deploy(heavy));
        site[1].Ask((core, now) => core.Relieve("overloaded", now));
        site.Run(5);
        Assert.Contains(heavy.Id, site[2].Engine.Containers);
        Assert.True(site[1].Runs());
    }

    [Fact]
    public void A_workload_that_has_just_arrived_is_left_where_it_is()
    {
        var site = Asking.With(2);
        site.Await(site[1], site[1].Move());
        site[2].Ask((core, now) => core.Relieve("overloaded", now));
        site.Run(5);
        Assert.True(site[2].Runs());
        site.Run(20);
        site[2].Ask((core, now) => core.Relieve("overloaded", now));
        site.Run(5);
        Assert.True(site[1].Runs());
    }

    [Fact]
    public void An_ask_for_an_epoch_that_is_over_is_refused_and_the_asker_learns_who_has_it()
    {
        var site = Asking.With(3);
        site.Await(site[1], site[1].Move(site[2].Id));
        site.Run(1);
        var before = site[3].Sent.Count;
        site[3].Hear(new Ask(Guid.NewGuid(), Samples.Workload(), 2, "arm64", "stale"), site[1].Id);
        var said = site[3].Sent.Skip(before).Select(sent => sent.Message).ToList();
        Assert.Contains(said, message => message is Refuse { Why: "epoch 2 is over: gate-2 has 2" });
        Assert.Contains(said, message => message is Records { Known: [{ Epoch: 2 }] });
    }

    [Fact]
    public void A_repeated_ask_gets_the_same_grant_and_reserves_once()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        var ask = new Ask(Guid.NewGuid(), Samples.Workload(), 1, "arm64", "");
        site[1].Hear(ask, site[2].Id);
        site[1].Hear(ask, site[2].Id);
        Assert.Equal(2, site[1].Sent.Count(sent => sent.Message is Grant grant && grant.Lease == ask.Lease));
        Assert.Equal(ask.Spec.CpuCoresNeeded, site[1].Core!.Promised.CpuCores);
        site.Run(31);
        Assert.Equal(0, site[1].Core!.Promised.CpuCores);
    }
}
