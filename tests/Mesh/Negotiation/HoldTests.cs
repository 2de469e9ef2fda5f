using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>When nobody can run what must leave, a node of level 1 holds it.</summary>
public sealed class HoldTests
{
    [Fact]
    public void What_must_leave_is_held_by_a_node_of_level_1_until_another_can_run_it()
    {
        var site = Full();
        var data = site[1].Engine.Volumes[Asking.Id];
        LetGo(site[1]);
        AssertHeldBy(site, 2);
        Assert.Equal(data, site[2].Engine.Volumes[Asking.Id]);
        site.Run(30);
        AssertHeldBy(site, 2);
        site[3].Offer = Samples.Offer;
        site.Run(10);
        site.AssertSettledOn(3);
        Assert.Equal(3, site[3].Known()!.Epoch);
        Assert.Equal(data, site[3].Engine.Volumes[Asking.Id]);
        Assert.Empty(site[2].Engine.Volumes);
    }

    [Fact]
    public void The_holder_runs_it_itself_when_it_can()
    {
        var site = Full();
        var data = site[1].Engine.Volumes[Asking.Id];
        LetGo(site[1]);
        AssertHeldBy(site, 2);
        site[2].Offer = Samples.Offer;
        site.Run(5);
        site.AssertSettledOn(2);
        Assert.Equal((2, 1), (site[2].Known()!.Epoch, site[2].Known()!.Revision));
        Assert.Equal(data, site[2].Engine.Volumes[Asking.Id]);
    }

    [Fact]
    public void A_node_that_can_run_it_is_preferred_to_one_that_holds_it()
    {
        var site = Full();
        site[3].Offer = Samples.Offer;
        site.Run(1);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(3);
        Assert.DoesNotContain(site[2].Told, told => told.Kind == "held");
    }

    [Fact]
    public void What_is_merely_overloaded_or_asked_to_move_keeps_running()
    {
        var site = Full();
        site[1].Ask((core, now) => core.Relieve("overloaded", now));
        site.Run(5);
        var answer = site.Await(site[1], site[1].Move(site[2].Id));
        Assert.Contains("level 1: overloaded", answer.Fault, StringComparison.Ordinal);
        site.AssertSettledOn(1);
        Assert.Equal(1, site[1].Known()!.Epoch);
    }

    [Fact]
    public void Nobody_at_level_0_holds_anything()
    {
        var site = Full();
        site[2].Offer = Samples.MessagingOnly;
        site.Run(1);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(1);
        Assert.Contains(site[1].Told, told => told.Kind == "not-moved" && told.Why.Contains("cannot hold it", StringComparison.Ordinal));
    }

    [Fact]
    public void A_full_disk_holds_nothing()
    {
        var site = Full();
        site[2].Offer = Samples.StorageOnly with { DiskFreeBytes = 300L << 20 };
        site.Run(1);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void A_power_cut_of_the_holder_loses_nothing_it_holds()
    {
        var site = Full();
        var data = site[1].Engine.Volumes[Asking.Id];
        LetGo(site[1]);
        AssertHeldBy(site, 2);
        site[2].Crash();
        site[2].Start();
        site.Run(5);
        AssertHeldBy(site, 2);
        site[3].Offer = Samples.Offer;
        site.Run(10);
        site.AssertSettledOn(3);
        Assert.Equal(data, site[3].Engine.Volumes[Asking.Id]);
    }

    public static TheoryData<int, int> CutsAndMoments
    {
        get
        {
            var data = new TheoryData<int, int>();
            for (var node = 1; node <= 3; node++)
                for (var tenths = 0; tenths < 24; tenths++)
                    data.Add(node, tenths);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(CutsAndMoments))]
    public void A_power_cut_at_any_moment_of_letting_go_and_of_handing_on_leaves_one_owner_with_the_data(int node, int tenths)
    {
        var site = Full();
        var data = site[1].Engine.Volumes[Asking.Id];
        site[1].SaveDuration = site[2].SaveDuration = TimeSpan.FromMilliseconds(60);
        LetGo(site[1]);
        site.Run(tenths / 20.0);
        site[3].Offer = Samples.Offer;
        site.Run(tenths / 10.0);
        site[node].Crash();
        site[node].Start();
        site.Run(60);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: true, mustBeGone: false));
        Assert.Equal(data, site.Find(site[1].Known()!.Owner).Engine.Volumes[Asking.Id]);
    }

    [Fact]
    public void A_holder_whose_hand_over_fails_holds_it_still()
    {
        var site = Full();
        LetGo(site[1]);
        AssertHeldBy(site, 2);
        site[3].Engine.Outcome = work => work.Kind == WorkKind.Start ? "no" : "";
        site[3].Offer = Samples.Offer;
        Assert.True(site.RunUntil(() => site[3].Told.Any(told => told.Kind == "start-failed")));
        site[3].Offer = Samples.MessagingOnly;
        site.Run(20);
        AssertHeldBy(site, 2);
        Assert.True(site[2].Known()!.Epoch > 2);
    }

    [Fact]
    public void What_is_held_can_be_removed()
    {
        var site = Full();
        LetGo(site[1]);
        AssertHeldBy(site, 2);
        Assert.Equal("", site.Await(site[1], site[1].Remove()).Fault);
        site.Run(2);
        Assert.Equal("", new SiteInvariants(site).Unsettled(Asking.Id, mustLive: false, mustBeGone: true));
        Assert.Empty(site[2].Engine.Volumes);
    }

    /// <summary>Three nodes: the first runs it and can run nothing more, the second could hold it, the third neither.</summary>
    private static SimulatedSite Full()
    {
        var site = Asking.With(3, Samples.WithVolumes());
        site[1].Offer = Samples.StorageOnly;
        site[2].Offer = Samples.StorageOnly;
        site[3].Offer = Samples.MessagingOnly;
        site.Run(1);
        return site;
    }

    private static void LetGo(SimulatedNode node) => node.Ask((core, now) => core.LetGo("it may fail soon", now));

    private static void AssertHeldBy(SimulatedSite site, int node)
    {
        Assert.True(site.RunUntil(() => site.Nodes.All(one => one.Known() is { State: WorkloadState.Held }), 20), string.Join('\n', site.Nodes.Select(one => one.Known()?.Why)));
        Assert.All(site.Nodes, one => Assert.Equal(site[node].Id, one.Known()!.Owner));
        Assert.All(site.Nodes, one => Assert.False(one.Runs()));
    }
}
