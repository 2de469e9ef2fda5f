using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>Work that nobody waits for any more ends, at both ends.</summary>
public sealed class GivenUpTests
{
    [Fact]
    public void A_transfer_past_its_deadline_ends_at_both_ends()
    {
        var site = Transferring();
        Assert.Contains("did not end", site.Await(site[1], site[1].Move(), 21 * 60).Fault, StringComparison.Ordinal);
        site.Run(1);
        AssertIdle(site);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void A_transfer_to_a_peer_found_gone_ends_and_the_next_candidate_is_not_kept_waiting()
    {
        var site = Transferring();
        site[1].Move();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        site[1].Engine.Duration = _ => TimeSpan.FromMilliseconds(100);
        site[2].Crash();
        Assert.True(site.RunUntil(site[3].Runs, 10));
    }

    [Fact]
    public void A_better_record_ends_the_transfer_at_both_ends()
    {
        var site = Transferring();
        site[1].Move();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        var better = site[1].Known()! with { Epoch = 20, Owner = site[3].Id };
        site[1].Hear(new Records([better], WantsReply: false), site[3].Id);
        site.Run(1);
        AssertIdle(site);
        Assert.Empty(site[1].Engine.Containers);
    }

    [Fact]
    public void A_cancelled_lease_ends_the_transfer_that_comes_in()
    {
        var site = Transferring();
        site[1].Move();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        var ask = site[1].Sent.Where(sent => sent.To == site[2].Id).Select(sent => sent.Message).OfType<Ask>().Last();
        site[2].Hear(new Cancel(ask.Lease), site[1].Id);
        site.Run(0.5);
        Assert.Equal(0, site[2].Engine.WorkInProgress);
        Assert.Contains(site[1].Told, told => told.Kind == "transfer-failed");
    }

    [Fact]
    public void Volumes_for_a_peer_found_gone_are_given_up_and_the_copy_runs_again()
    {
        var site = Asking.With(2, Samples.WithVolumes());
        var ordinary = site[1].Engine.Duration;
        site[1].Engine.Duration = work => work.Kind == WorkKind.TransferVolumes ? TimeSpan.FromHours(2) : ordinary(work);
        site[1].Move();
        Assert.True(site.RunUntil(() => site[1].Core!.Running.Count == 1 && !site[1].Runs()));
        site.Run(1);
        site[2].Crash();
        Assert.True(site.RunUntil(site[1].Runs, 10));
        Assert.Equal(1, site[1].Known()!.Epoch);
    }

    [Fact]
    public void A_start_that_a_better_record_overtakes_ends_early()
    {
        var site = new SimulatedSite(2);
        site.Run(1);
        site[1].Engine.Duration = work => work.Kind == WorkKind.Start ? TimeSpan.FromHours(1) : TimeSpan.FromMilliseconds(40);
        site[1].Deploy();
        Assert.True(site.RunUntil(() => site[1].Engine.WorkInProgress == 1));
        var better = new WorkloadRecord(Samples.Workload(), 5, 0, site[2].Id, site[2].Id, WorkloadState.Running, null, "");
        site[1].Hear(new Records([better], WantsReply: false), site[2].Id);
        site.Run(1);
        Assert.Equal(0, site[1].Engine.WorkInProgress);
    }

    /// <summary>The first node runs the workload, and its transfers take for ever.</summary>
    private static SimulatedSite Transferring()
    {
        var site = Asking.With(3);
        var ordinary = site[1].Engine.Duration;
        site[1].Engine.Duration = work => work.Kind == WorkKind.Transfer ? TimeSpan.FromHours(2) : ordinary(work);
        return site;
    }

    private static void AssertIdle(SimulatedSite site) => Assert.All(site.Nodes, node => Assert.Equal(0, node.Engine.WorkInProgress));
}
