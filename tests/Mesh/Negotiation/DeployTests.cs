using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

public sealed class DeployTests
{
    [Fact]
    public void A_fit_node_runs_what_is_deployed_on_it_and_all_know()
    {
        var site = Asking.With(3);
        site.AssertSettledOn(1);
        Assert.Equal(1, site[3].Known()!.Epoch);
        Assert.Equal(site[1].Known(), site[1].Disk[Asking.Id]);
    }

    [Fact]
    public void A_node_without_an_engine_places_it_on_a_peer()
    {
        var site = new SimulatedSite(3);
        site[1].Offer = Samples.MessagingOnly;
        site.Run(1);
        var answer = site.Await(site[1], site[1].Deploy());
        Assert.Equal("", answer.Fault);
        Assert.Equal(1, answer.Record!.Epoch);
        site.Run(1);
        site.AssertSettledOn(2);
    }

    [Fact]
    public void A_peer_at_level_0_is_not_asked()
    {
        var site = new SimulatedSite(3);
        site[1].Offer = site[2].Offer = Samples.MessagingOnly;
        site.Run(1);
        Assert.Equal("", site.Await(site[1], site[1].Deploy()).Fault);
        Assert.DoesNotContain(site[1].Sent, sent => sent is { To: var to, Message: Ask } && to == site[2].Id);
        Assert.True(site[3].Runs());
    }

    [Fact]
    public void With_nobody_fit_the_user_is_told_each_reason_and_nothing_is_left()
    {
        var site = new SimulatedSite(3);
        foreach (var node in site.Nodes)
            node.Offer = Samples.MessagingOnly;
        site.Run(1);
        var fault = site.Await(site[1], site[1].Deploy()).Fault;
        foreach (var node in site.Nodes)
            Assert.Contains($"{node.Id.Name}: level 0: no container engine answers", fault, StringComparison.Ordinal);
        Assert.Null(site[1].Known());
    }

    [Fact]
    public void A_full_disk_fails_the_deployment_and_leaves_no_container()
    {
        var site = new SimulatedSite(2);
        site.Watch = () => Assert.Empty(site[1].Engine.Containers); // not for a moment
        site[1].IsDiskFull = true;
        site.Run(1);
        Assert.Contains("no space", site.Await(site[1], site[1].Deploy()).Fault, StringComparison.Ordinal);
        site.Run(2);
        Assert.Empty(site[1].Engine.Containers);
        Assert.Null(site[2].Known());
    }

    [Fact]
    public void A_deployment_that_does_not_start_leaves_nothing_on_disk_when_the_user_is_told()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        site[1].Engine.Outcome = work => work.Kind == WorkKind.Start ? "exec format error" : "";
        Assert.Contains("exec format", site.Await(site[1], site[1].Deploy()).Fault, StringComparison.Ordinal);
        Assert.Empty(site[1].Disk);
        site[1].Engine.Outcome = _ => "";
        site[1].Crash();
        site[1].Start();
        site.Run(20);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: false, mustBeGone: true));
        Assert.Empty(site[1].Engine.Containers);
    }

    [Fact]
    public void A_deployment_that_loses_power_before_it_starts_starts_afterwards()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        site[1].Deploy();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        site[1].Crash();
        site[1].Start();
        site.Run(10);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void A_second_deployment_while_the_first_is_being_saved_is_refused()
    {
        var site = new SimulatedSite(1);
        site[1].SaveDuration = TimeSpan.FromSeconds(1);
        var first = site[1].Deploy();
        Assert.True(site.RunUntil(site[1].Runs));
        Assert.Contains("already", site.Await(site[1], site[1].Deploy()).Fault, StringComparison.Ordinal);
        Assert.Equal("", site.Await(site[1], first).Fault);
    }

    [Fact]
    public void A_peer_that_grants_but_cannot_start_loses_it_to_the_next()
    {
        var site = new SimulatedSite(3);
        site[1].Offer = Samples.MessagingOnly;
        site[2].Engine.Outcome = work => work.Kind == WorkKind.Start ? "exec format error" : "";
        site.Run(1);
        Assert.Equal("", site.Await(site[1], site[1].Deploy()).Fault);
        site.Run(1);
        site.AssertSettledOn(3);
        Assert.Equal(2, site[3].Known()!.Epoch); // what failed may still be ending: the next one runs at an epoch of its own
        Assert.Empty(site[2].Engine.Containers);
    }

    [Fact]
    public void A_deployment_that_was_reported_as_failed_does_not_come_to_life_later()
    {
        var site = new SimulatedSite(2);
        site[1].Offer = Samples.MessagingOnly;
        site[2].Drops = (_, message) => message is Activated or Records;
        site.Run(1);
        Assert.Contains("did not answer", site.Await(site[1], site[1].Deploy()).Fault, StringComparison.Ordinal);
        site[2].Drops = (_, _) => false;
        site.Run(15);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: false, mustBeGone: true));
    }

    [Fact]
    public void Twenty_unfit_peers_do_not_hide_the_next_fit_one()
    {
        var site = new SimulatedSite(23);
        foreach (var node in site.Nodes.Take(21))
            node.Offer = Samples.MessagingOnly;
        site[1].Engine.Outcome = work => work.Kind == WorkKind.Transfer && work.Peer == site[22].Id ? "connection reset" : "";
        site[23].Offer = Samples.Offer with { CpuFreeCores = 1 };
        site.Run(1);
        Assert.Equal("", site.Await(site[1], site[1].Deploy()).Fault);
        Assert.True(site[23].Runs());
    }
}
