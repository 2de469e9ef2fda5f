using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>An uneven site evens out by itself, and then is left alone.</summary>
public sealed class BalanceTests
{
    private static readonly Offer Idle = Samples.Offer with { CpuFreeCores = 4, MemoryFreeBytes = 4L << 30, MemoryBytes = 4L << 30, Links = LinkKinds.Wired };

    [Fact]
    public void Twenty_four_workloads_on_one_of_eight_nodes_spread_and_stay()
    {
        var site = Site(8, seed: 1);
        foreach (var node in site.Nodes.Skip(1))
            node.Offer = Samples.MessagingOnly; // else the last ones would be deployed elsewhere at once
        site.Run(1);
        for (var i = 0; i < 24; i++)
            Assert.Equal("", site.Await(site[1], site[1].Deploy(Workload(i, 0.16))).Fault);
        Assert.Equal(24, Running(site[1]));
        foreach (var node in site.Nodes)
            node.Offer = Idle;
        site.Run(40 * 60);
        Assert.InRange(Running(site[1]), 2, 12);
        site.Run(140 * 60); // the longer it has stayed, the less the move itself weighs: a last one or two
        var moves = Moves(site);
        Assert.InRange(moves, 12, 24);
        Assert.InRange(Running(site[1]), 2, 10);
        Assert.All(site.Nodes.Skip(1), node => Assert.InRange(Running(node), 1, 6));
        site.Run(2 * 3600);
        Assert.Equal(moves, Moves(site));
    }

    [Fact]
    public void Balance_can_be_switched_off()
    {
        var site = Site(4, 1, new PlacementRules { Balances = false });
        for (var i = 0; i < 12; i++)
            site.Await(site[1], site[1].Deploy(Workload(i, 0.3)));
        site.Run(3600);
        Assert.Equal(0, Moves(site));
    }

    [Fact]
    public void Two_nodes_alike_never_exchange_anything()
    {
        var site = Site(2, 1);
        for (var i = 0; i < 6; i++)
            site.Await(site[1 + (i % 2)], site[1 + (i % 2)].Deploy(Workload(i, 0.5)));
        site.Run(4 * 3600);
        Assert.Equal(0, Moves(site));
    }

    [Theory]
    [InlineData(1)]
    public void However_loads_swing_moves_become_rare(int seed)
    {
        const int Workloads = 8;
        var site = Site(4, seed);
        for (var i = 0; i < Workloads; i++)
            site.Await(site[1 + (i % 4)], site[1 + (i % 4)].Deploy(Workload(i, 0.4)));
        var perHour = new List<int>();
        for (var hour = 0; hour < 5; hour++)
        {
            var before = Moves(site);
            for (var minute = 0; minute < 60; minute++)
            {
                foreach (var node in site.Nodes)
                    node.Offer = Idle with { CpuFreeCores = 0.5 + (3.5 * site.Random.NextDouble()) };
                site.Run(60);
            }
            perHour.Add(Moves(site) - before);
        }
        // Each stays twice as long after each move: a dozen moves each to begin with, then hardly one an hour for each.
        Assert.True(perHour.Sum() <= Workloads * 16, $"seed {seed}: {string.Join(' ', perHour)}");
        Assert.True(perHour.Skip(3).Sum() <= Workloads * 2, $"seed {seed}: {string.Join(' ', perHour)}");
    }

    [Fact]
    public void What_a_user_has_put_somewhere_is_left_there_for_an_hour()
    {
        var site = Site(3, 1);
        site.Await(site[1], site[1].Deploy(Workload(0, 0.5)));
        var id = Workload(0, 0.5).Id;
        site[2].Offer = Idle with { CpuFreeCores = 0.9 };
        site.Run(2);
        Assert.Equal("", site.Await(site[1], site[1].Ask((core, operation, now) => core.Move(operation, id, site[2].Id, "asked", now))).Fault);
        var asked = Moves(site);
        site.Run(3500);
        Assert.Equal(asked, Moves(site));
        site.Run(300);
        Assert.Equal(asked + 1, Moves(site));
    }

    [Fact]
    public void A_workload_goes_to_where_its_data_is_heard_and_stays_there()
    {
        var site = Site(3, 1);
        site.Await(site[1], site[1].Deploy(Workload(0, 0.2)));
        var id = Workload(0, 0.2).Id;
        foreach (var node in site.Nodes)
            node.Ask((core, _) => core.SourcesAre([new InputSource(id, site[3].Id, 1)]));
        site.Run(6 * 60);
        Assert.True(site[3].Engine.Containers.ContainsKey(id));
        site.Run(3600);
        Assert.Equal(1, Moves(site));
    }

    [Fact]
    public void A_label_that_a_node_loses_takes_the_workload_along()
    {
        var site = Site(3, 1);
        foreach (var node in new[] { site[1], site[3] })
            node.Offer = Idle with { Labels = ["gpio"] };
        site.Run(1);
        var spec = Workload(0, 0.2) with { Requires = ["gpio"] };
        site.Await(site[1], site[1].Deploy(spec));
        site[1].Offer = Idle;
        site.Run(5 * 60);
        Assert.True(site[3].Engine.Containers.ContainsKey(spec.Id));
    }

    [Fact]
    public void A_preferred_label_decides_where_a_deployment_goes()
    {
        var site = Site(3, 1);
        site[2].Offer = Idle with { Labels = ["ble", "roof", "south", "dry", "wifi", "x"] };
        site.Run(1);
        var spec = Workload(0, 0.2) with { Prefers = ["ble", "roof", "south", "dry", "wifi", "x"] };
        Assert.Equal(site[2].Id, site.Await(site[1], site[1].Deploy(spec)).Record!.Owner);
    }

    private static SimulatedSite Site(int nodes, int seed, PlacementRules? rules = null)
    {
        var site = new SimulatedSite(nodes, seed, new NegotiationTiming { Placement = rules ?? new PlacementRules() });
        foreach (var node in site.Nodes)
            (node.Offer, node.IsLoaded) = (Idle, true);
        var invariants = new SiteInvariants(site);
        site.Watch = () => Assert.Equal("", invariants.Violated());
        site.Run(1);
        return site;
    }

    private static WorkloadSpec Workload(int number, double cores) =>
        Samples.Workload($"w{number}") with { Image = "w:1", Inputs = [], CpuCores = cores };

    private static int Running(SimulatedNode node) => node.Engine.Containers.Values.Count(container => container.IsRunning);

    private static int Moves(SimulatedSite site) => site.Nodes.Sum(node => node.Told.Count(told => told.Kind == "moved"));
}
