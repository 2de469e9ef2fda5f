using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>Asks that go on to the neighbours of whoever cannot take a workload.</summary>
public sealed class ReferralTests
{
    [Fact]
    public void A_node_of_level_0_finds_a_neighbour_that_the_asker_does_not_know()
    {
        var site = Chain(3);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(3);
        Assert.Contains(site[1].Told, told => told.Kind == "referred");
        Assert.Contains(site[2].Told, told => told.Kind == "passed-on");
        Assert.DoesNotContain(site[2].Told, told => told.Kind == "granted");
    }

    [Fact]
    public void An_ask_goes_over_two_neighbours_and_no_further()
    {
        var site = Chain(4);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(4);

        site = Chain(5);
        LetGo(site[1]);
        site.Run(10);
        site.AssertSettledOn(1);
    }

    [Fact]
    public void Nobody_is_asked_to_pass_on_what_all_have_no_room_for()
    {
        var site = Chain(3);
        site.Strangers.Clear();
        site[3].Offer = Samples.StorageOnly;
        site.Run(1);
        site[1].Ask((core, now) => core.Relieve("overloaded", now));
        site.Run(10);
        site.AssertSettledOn(1);
        Assert.DoesNotContain(site[1].Sent, sent => sent.Message is Ask);
    }

    [Fact]
    public void A_node_that_cannot_be_reached_takes_nothing_and_its_lease_ends()
    {
        var site = Chain(3);
        site.Links.Cut(site[1].Id, site[3].Id);
        LetGo(site[1]);
        site.Run(60);
        site.AssertSettledOn(1);
        Assert.Equal(0, site[3].Core!.Promised.CpuCores);
        Assert.Empty(site[3].Engine.Containers);
    }

    [Fact]
    public void An_ask_that_comes_back_goes_no_further()
    {
        var site = Chain(3);
        site[3].Offer = Samples.MessagingOnly;
        site.Run(1);
        var ask = new Ask(Guid.NewGuid(), Samples.Workload("other"), 1, "", "", Hops: Ask.HopsMax);
        for (var i = 0; i < 50; i++)
        {
            site[2].Hear(ask, site[1].Id);
            site[2].Hear(ask with { Origin = site[1].Id }, site[3].Id);
        }
        site.Run(5);
        Assert.True(site.Nodes.Sum(node => node.Sent.Count(sent => sent.Message is Ask { Lease: var lease } && lease == ask.Lease)) <= 3);
    }

    [Fact]
    public void Asks_passed_on_are_bounded()
    {
        var site = Chain(3);
        for (var i = 1; i <= 500; i++)
            site[2].Hear(new Ask(new Guid(i, 0, 0, new byte[8]), Samples.Workload($"x{i}"), 1, "", "", Hops: 2), site[1].Id);
        Assert.InRange(site[2].Sent.Count(sent => sent.Message is Ask), 1, 64);
        site.Run(5);
        LetGo(site[1]);
        site.Run(40);
        site.AssertSettledOn(3);
    }

    [Fact]
    public void A_referral_that_nobody_asked_for_changes_nothing()
    {
        var site = Asking.With(3);
        site[1].Hear(new Referral(Guid.NewGuid(), site[3].Id, "10.0.0.1:7900", Samples.Offer), site[2].Id);
        site.Run(5);
        site.AssertSettledOn(1);
        Assert.Equal(1, site[1].Known()!.Epoch);
    }

    /// <summary>Nodes of which each knows only the next and the one before. The first runs a workload, the last could run it, the others are at
    /// level 0.</summary>
    private static SimulatedSite Chain(int nodes)
    {
        var site = Asking.With(nodes);
        for (var a = 1; a <= nodes; a++)
        {
            site[a].Offer = a == nodes ? Samples.Offer : Samples.MessagingOnly;
            for (var b = 1; b <= nodes; b++)
                if (Math.Abs(a - b) > 1)
                    site.Strangers.Add((site[a].Id, site[b].Id));
        }
        site.Run(1);
        return site;
    }

    private static void LetGo(SimulatedNode node) => node.Ask((core, now) => core.LetGo("it may fail soon", now));
}
