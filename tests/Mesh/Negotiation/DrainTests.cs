using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>A node gives away everything, and takes nothing on, until it is told otherwise.</summary>
public sealed class DrainTests
{
    [Fact]
    public void Everything_leaves_one_after_the_other_and_the_node_says_how_far_it_is()
    {
        var site = Site(5);
        site[1].BeginDrain();
        var together = 0;
        site.Watch = () => together = Math.Max(together, site[1].Core?.Evacuating?.Left.Count(left => left.Moving) ?? 0);
        Assert.True(site.RunUntil(() => site[1].Core!.Evacuating is { Moved: 5, Left.Count: 0 }, 60));
        Assert.Equal(1, together);
        Assert.Contains(site[1].Told, told => told.Kind == "evacuated");
        site.Run(1);
        Assert.Empty(site[1].Engine.Containers);
    }

    [Fact]
    public void Nobody_chooses_a_node_that_is_drained_and_it_refuses_who_asks_all_the_same()
    {
        var site = Site(1);
        site[3].BeginDrain();
        site.Run(2);
        Assert.Contains("it is being drained", site.Await(site[1], site[1].Move(site[3].Id)).Fault, StringComparison.Ordinal);
        site[3].Hear(new Ask(Guid.NewGuid(), Samples.Workload("new"), 1, "arm64", "late"), site[1].Id);
        Assert.Contains(site[3].Sent, sent => sent.Message is Refuse { Why: "it is being drained" });
        Assert.NotEqual(site[3].Id, site.Await(site[3], site[3].Deploy(Samples.Workload("here"))).Record!.Owner);
        site[3].EndDrain();
        site.Run(2);
        Assert.Equal("", site.Await(site[1], site[1].Move(site[3].Id)).Fault);
    }

    [Fact]
    public void A_drained_node_alone_takes_no_deployment()
    {
        var site = new SimulatedSite(1);
        site.Run(1);
        site[1].BeginDrain();
        site.Run(1);
        Assert.Contains("it is being drained", site.Await(site[1], site[1].Deploy()).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_leave_runs_on_and_the_reason_is_known()
    {
        var site = Site(2, spec => spec with { Requires = ["node=gate-1"] });
        foreach (var node in site.Nodes)
            node.Offer = Samples.Offer with { DiskFreeBytes = 500L << 20 }; // nor can they hold it
        site.Run(1);
        site[1].BeginDrain();
        site.Run(60);
        var left = site[1].Core!.Evacuating!.Left;
        Assert.Equal(2, left.Count);
        Assert.All(left, one => Assert.Contains("cannot hold it: 500 MiB", one.Why, StringComparison.Ordinal));
        Assert.Equal(2, site[1].Engine.Containers.Values.Count(container => container.IsRunning));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void A_drain_goes_on_after_crashes_and_loses_nothing(int seed)
    {
        var site = Site(5, seed: seed);
        var random = new Random(seed);
        var drained = site[1].BeginDrain();
        site.Await(site[1], drained);
        for (var crash = 0; crash < 6; crash++)
        {
            site.Run(4 * random.NextDouble());
            var node = site.Nodes[random.Next(3) == 0 ? 1 + random.Next(3) : 0];
            node.Crash();
            site.Run(0.5 + (6 * random.NextDouble()));
            node.Start();
            Assert.True(site[1].Core!.IsDraining);
        }
        Assert.True(site.RunUntil(() => site[1].Core!.Evacuating is { Left.Count: 0 }, 300), $"seed {seed}");
        site.Run(60);
        for (var i = 0; i < 5; i++)
            Assert.Equal("", new SiteInvariants(site).Unsettled(Samples.Workload($"w{i}").Id, mustLive: true, mustBeGone: false));
        Assert.Empty(site[1].Engine.Containers);
    }

    [Fact]
    public void It_is_answered_once_it_is_on_disk_and_not_when_the_disk_is_full()
    {
        var site = Site(1);
        var asked = site[1].BeginDrain();
        Assert.Null(site[1].AnswerTo(asked));
        Assert.Equal("", site.Await(site[1], asked).Fault);
        Assert.True(site[1].IsDraining);
        site[1].IsDiskFull = true;
        Assert.Contains("no space", site.Await(site[1], site[1].EndDrain()).Fault, StringComparison.Ordinal);
        Assert.True(site[1].Core!.IsDraining);
    }

    [Fact]
    public void A_node_that_foresees_its_failure_gives_away_what_it_has_while_the_danger_lasts()
    {
        var site = Site(3);
        var afraid = Samples.Offer with { Outlook = new Outlook(0, 0, null, 0.9) };
        site[1].Offer = afraid;
        site.Run(20);
        Assert.Equal(3, site[1].Engine.Containers.Count);
        Assert.True(site.RunUntil(() => site[1].Engine.Containers.Count == 0, 60));
        Assert.True(site[1].Core!.Evacuating is { Draining: false, Failing: true, Moved: 3 });
        site[1].Offer = Samples.Offer;
        site.Run(180);
        Assert.Null(site[1].Core!.Evacuating);
        Assert.Contains(site[1].Told, told => told.Kind == "recovered");
    }

    [Fact]
    public void Where_all_nodes_fear_for_themselves_nothing_moves_and_deployments_run()
    {
        var site = Site(2);
        foreach (var node in site.Nodes)
            node.Offer = Samples.Offer with { Outlook = new Outlook(0, 0, null, 0.9) };
        site.Run(600);
        Assert.Equal(2, site[1].Engine.Containers.Count);
        Assert.Equal("", site.Await(site[2], site[2].Deploy(Samples.Workload("late"))).Fault);
    }

    private static SimulatedSite Site(int workloads, Func<WorkloadSpec, WorkloadSpec>? change = null, int seed = 1)
    {
        var site = new SimulatedSite(4, seed);
        site.Run(1);
        for (var i = 0; i < workloads; i++)
        {
            var spec = Samples.Workload(workloads == 1 ? "filter" : $"w{i}");
            Assert.Equal("", site.Await(site[1], site[1].Deploy(change is null ? spec : change(spec))).Fault);
        }
        var invariants = new SiteInvariants(site);
        site.Watch = () => Assert.Equal("", invariants.Violated());
        site.Run(1);
        return site;
    }
}

internal static class DrainingNodes
{
    public static Guid BeginDrain(this SimulatedNode node) => node.Ask((core, operation, now) => core.Drain(operation, draining: true, now));

    public static Guid EndDrain(this SimulatedNode node) => node.Ask((core, operation, now) => core.Drain(operation, draining: false, now));
}
