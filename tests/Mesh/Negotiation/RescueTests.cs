using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>When a node may take over what another owned: late enough not to be wrong, soon enough to matter.</summary>
public sealed class RescueTests
{
    [Fact]
    public void In_a_site_of_three_the_copy_of_a_dead_node_is_replaced_within_three_seconds_of_its_detection()
    {
        var site = Asking.With(3);
        site[1].Crash();
        site.Run(site.SilenceMax.TotalSeconds + 0.25); // by now it is known to all
        Assert.True(site.RunUntil(() => site[2].Runs() || site[3].Runs(), 3));
    }

    [Fact]
    public void In_a_site_of_two_the_survivor_rescues()
    {
        var site = Asking.With(2);
        site[1].Crash();
        Assert.True(site.RunUntil(site[2].Runs, 10));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(600)]
    public void The_last_of_three_rescues_what_the_others_leave_when_they_die_one_after_the_other(double secondsBetween)
    {
        var site = Asking.With(3);
        site[1].Crash();
        site.Run(secondsBetween);
        site[2].Crash();
        Assert.True(site.RunUntil(site[3].Runs, 80));
    }

    [Fact]
    public void A_node_that_is_cut_off_from_the_others_rescues_nothing_for_a_while_and_everything_in_the_end()
    {
        var site = Asking.With(3);
        site.Links.Partition([site[3].Id]);
        site.Run(55);
        Assert.Empty(Rescues(site));
        Assert.True(site.RunUntil(site[3].Runs, 15));
    }

    [Fact]
    public void A_node_that_lost_its_uplink_for_half_a_minute_changes_nothing()
    {
        var site = Asking.With(5);
        site.Await(site[1], site[1].Move(site[2].Id));
        site.Links.Partition([site[1].Id]); // where it was deployed
        site.Run(30);
        site.Links.Heal();
        site.Run(30);
        Assert.Empty(Rescues(site));
        site.AssertSettledOn(2);
        Assert.Equal(2, site[1].Known()!.Epoch);
    }

    [Fact]
    public void A_rescue_that_has_not_come_to_life_ends_when_the_owner_is_back()
    {
        var site = Asking.With(3);
        var ordinary = site[2].Engine.Duration;
        site[2].Engine.Duration = work => work.Kind == WorkKind.Start ? TimeSpan.FromSeconds(60) : ordinary(work);
        site.Links.Partition([site[1].Id]);
        Assert.True(site.RunUntil(() => site[2].Engine.WorkInProgress == 1));
        site.Links.Heal();
        site.Run(10);
        site.AssertSettledOn(1);
        Assert.Equal(1, site[1].Known()!.Epoch);
        Assert.DoesNotContain(site[1].Told, told => told.Kind == "fenced");
    }

    [Fact]
    public void News_of_an_owner_thought_dead_is_believed_before_its_death()
    {
        var now = new Instant(1_000_000_000);
        var (self, owner, teller) = (Samples.Node(1), Samples.Node(2), Samples.Node(3));
        var core = new NegotiationCore(self, [], hasMesh: true, new NegotiationTiming(), new Random(1), now);
        core.MembersAre([Member(owner, MemberStatus.Dead), Member(teller, MemberStatus.Alive)], now);
        now += TimeSpan.FromSeconds(20);
        core.Handle(new Records([new(Samples.Workload(), 7, 0, owner, self, WorkloadState.Running, null, "")], WantsReply: false), teller, now);
        core.Advance(now + TimeSpan.FromSeconds(1));
        Assert.Empty(core.Events);
        core.Advance(now + TimeSpan.FromSeconds(2));
        Assert.Contains(core.Events, told => told.Kind == "rescue");
    }

    private static MemberView Member(NodeId id, MemberStatus status) =>
        new(id, new IPEndPoint(IPAddress.Loopback, 7900), status, 0, Samples.Offer, null, "");

    private static IEnumerable<string> Rescues(SimulatedSite site) =>
        site.Nodes.SelectMany(node => node.Told.Where(told => told.Kind == "rescue").Select(told => $"{node.Id.Name}: {told.Subject}: {told.Why}"));
}
