using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Links;
using static EdgeFirmware.Overlay.Tests.Links.Bench;

namespace EdgeFirmware.Overlay.Tests.Links;

public sealed class LinksCoreTests
{
    [Fact]
    public void A_target_that_answers_proves_the_Internet_within_a_round_trip()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(0.02);
        Assert.Equal((Reachability.Internet, true, "203.0.113.1:443 answers"), (bench.View.Reach, bench.View.IsProven, bench.View.Why));
        Assert.Equal(TimeSpan.FromMilliseconds(20), bench.View.RoundTrip);
        Assert.Equal("link-up", bench.Told.First());
        Assert.Equal("reach-changed internet", bench.Told.Last());
    }

    [Fact]
    public void The_operator_knows_better_than_the_driver_what_a_link_is()
    {
        var bench = new Bench(new LinksOptions { Targets = [Target], Kinds = new Dictionary<string, LinkKind> { ["wan0"] = LinkKind.Cellular } });
        bench.Kernel(Wan());
        bench.Run(60);
        Assert.Equal((LinkKind.Cellular, LinkTraits.Of(LinkKind.Cellular)), (bench.View.Kernel.Kind, bench.View.Traits));
        Assert.InRange(bench.Asked.Count, 2, 6); // every 20 s
    }

    [Theory]
    [InlineData(false, true, true, "switched off")]
    [InlineData(true, false, true, "no carrier")]
    [InlineData(true, true, false, "no address")]
    public void A_link_that_cannot_be_used_leads_nowhere_and_is_not_asked(bool isUp, bool hasCarrier, bool hasAddress, string why)
    {
        var bench = new Bench(Target);
        var link = Wan();
        bench.Kernel(link with { IsUp = isUp, HasCarrier = hasCarrier, Addresses = hasAddress ? link.Addresses : [] });
        bench.Run(60);
        Assert.Equal((Reachability.None, why), (bench.View.Reach, bench.View.Why));
        Assert.Empty(bench.Asked);
    }

    [Fact]
    public void A_carrier_lost_is_believed_at_once_and_a_carrier_back_is_asked_at_once()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(10);
        bench.Kernel(Wan() with { HasCarrier = false });
        Assert.Equal(Reachability.None, bench.View.Reach);
        bench.Run(30);
        bench.Kernel(Wan());
        bench.Run(0.02);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
        Assert.Equal(["link-up", "reach-changed internet", "link-down", "reach-changed none", "link-up", "reach-changed internet"], Settled(bench));
    }

    [Fact]
    public void A_dead_Internet_behind_a_live_gateway_is_found_within_four_seconds_and_told_with_its_reason()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = Answers(() => Silent(), Refused);
        Assert.InRange(bench.Until(view => view.Reach != Reachability.Internet), 0, 4);
        Assert.Equal((Reachability.Site, true), (bench.View.Reach, bench.View.IsProven));
        Assert.Equal("Internet dead: gateway 10.0.0.1 answers, 203.0.113.1:443 does not", bench.View.Why);
        Assert.Equal("link-up", bench.Told.Single(kind => kind.StartsWith("link", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_gateway_that_falls_silent_too_leaves_nothing()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = _ => Silent();
        Assert.InRange(bench.Until(view => view.Reach == Reachability.None), 0, 8);
        Assert.Equal("gateway 10.0.0.1 silent", bench.View.Why);
    }

    [Fact]
    public void Neighbours_that_are_there_keep_the_site_when_the_gateway_is_silent()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = _ => Silent(othersHeard: true);
        bench.Run(20);
        Assert.Equal((Reachability.Site, "Internet dead: gateway 10.0.0.1 silent, others are there, 203.0.113.1:443 does not"), (bench.View.Reach, bench.View.Why));
    }

    [Fact]
    public void The_Internet_is_back_after_two_answers_in_a_row()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = Answers(() => Silent(), Refused);
        bench.Run(30);
        bench.Network = _ => Accepted();
        Assert.InRange(bench.Until(view => view.Reach == Reachability.Internet), 0.2, 2);
    }

    [Fact]
    public void Each_loss_soon_after_another_makes_the_return_take_more_answers()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        var returns = new List<double>();
        for (var loss = 0; loss < 3; loss++)
        {
            bench.Network = Answers(() => Silent(), Refused);
            bench.Until(view => view.Reach == Reachability.Site);
            bench.Network = _ => Accepted();
            returns.Add(bench.Until(view => view.Reach == Reachability.Internet));
        }
        Assert.True(returns[0] < returns[1] && returns[1] < returns[2], string.Join(", ", returns));
    }

    [Fact]
    public void One_lost_answer_changes_nothing_but_the_pace()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        var isFirst = true;
        bench.Network = request =>
        {
            var answer = isFirst ? Silent() : Accepted();
            isFirst = false;
            return answer;
        };
        var asked = bench.Asked.Count;
        bench.Run(4);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
        Assert.Single(bench.Told, kind => kind.StartsWith("reach", StringComparison.Ordinal) && kind.EndsWith("internet", StringComparison.Ordinal));
        Assert.InRange(bench.Asked[asked + 1].At.Microseconds - bench.Asked[asked].At.Microseconds, 200_000, 400_000);
    }

    [Fact]
    public void The_gateway_is_left_alone_while_the_Internet_answers()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(600);
        Assert.Single(bench.Asked, one => one.Request.IsGateway);
        Assert.InRange(bench.Asked.Count, 295, 310);
    }

    [Fact]
    public void A_silent_target_has_the_next_one_asked()
    {
        var bench = new Bench(Target, OtherTarget) { Network = request => request.Target.Equals(OtherTarget) ? Accepted() : Silent() };
        bench.Kernel(Wan());
        bench.Run(10);
        Assert.Equal((Reachability.Internet, "198.51.100.1:443 answers"), (bench.View.Reach, bench.View.Why));
    }

    [Fact]
    public void A_target_that_refuses_proves_nothing()
    {
        var bench = new Bench(Target) { Network = _ => Refused() };
        bench.Kernel(Wan());
        bench.Run(30);
        Assert.Equal(Reachability.Site, bench.View.Reach);
    }

    [Fact]
    public void Without_targets_the_Internet_is_judged_by_the_gateway_and_said_to_be()
    {
        var bench = new Bench { Network = _ => Refused() };
        bench.Kernel(Wan());
        bench.Run(1);
        Assert.Equal((Reachability.Internet, false), (bench.View.Reach, bench.View.IsProven));
        Assert.Contains("Links.Targets", bench.View.Why, StringComparison.Ordinal);
        Assert.All(bench.Asked, one => Assert.Equal(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 53), one.Request.Target));
    }

    [Fact]
    public void A_gateway_that_only_its_link_layer_address_tells_of_is_believed_if_it_was_never_otherwise()
    {
        var bench = new Bench { Network = _ => Neighbour() };
        bench.Kernel(Wan());
        bench.Run(60);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
    }

    [Fact]
    public void A_gateway_that_took_packets_and_takes_none_any_more_forwards_nothing()
    {
        var bench = new Bench { Network = _ => Refused() };
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = _ => Neighbour();
        bench.Run(10);
        Assert.Equal((Reachability.Site, "Internet dead: gateway 10.0.0.1 takes no packets any more"), (bench.View.Reach, bench.View.Why));
    }

    [Fact]
    public void A_link_without_a_gateway_is_of_the_site_and_nobody_is_asked()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan(LinkKind.SixLowpan) with { Addresses = [new LinkAddress(IPAddress.Parse("fe80::2"), 64, AddressScope.Link)], Routes = [] });
        bench.Run(60);
        Assert.Equal((Reachability.Site, false, "no default gateway: nobody to ask"), (bench.View.Reach, bench.View.IsProven, bench.View.Why));
        Assert.Empty(bench.Asked);
    }

    [Fact]
    public void A_route_without_a_gateway_has_its_targets_asked()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan(LinkKind.Cellular) with { Routes = [new DefaultRoute(AddressFamily.InterNetwork, null, 700)] });
        bench.Run(5);
        Assert.Equal((Reachability.Internet, true), (bench.View.Reach, bench.View.IsProven));
        bench.Network = _ => Silent();
        bench.Run(60);
        Assert.Equal(Reachability.Site, bench.View.Reach);
    }

    [Fact]
    public void An_IPv6_link_does_not_have_IPv4_targets_asked()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan() with
        {
            Addresses = [new LinkAddress(IPAddress.Parse("2001:db8::2"), 64, AddressScope.Global), new LinkAddress(IPAddress.Parse("fe80::2"), 64, AddressScope.Link)],
            Routes = [new DefaultRoute(AddressFamily.InterNetworkV6, IPAddress.Parse("fe80::1%2"), 1024)],
        });
        bench.Run(5);
        Assert.All(bench.Asked, one => Assert.Equal(AddressFamily.InterNetworkV6, one.Request.Target.AddressFamily));
        Assert.Equal((Reachability.Internet, false), (bench.View.Reach, bench.View.IsProven));
    }

    [Fact]
    public void A_second_gateway_is_asked_when_the_first_is_silent()
    {
        var second = IPAddress.Parse("10.0.0.254");
        var bench = new Bench { Network = request => request.Target.Address.Equals(second) ? Refused() : Silent() };
        bench.Kernel(Wan() with
        {
            Routes = [new DefaultRoute(AddressFamily.InterNetwork, IPAddress.Parse("10.0.0.1"), 100), new DefaultRoute(AddressFamily.InterNetwork, second, 200)],
        });
        bench.Run(20);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
        Assert.Contains("10.0.0.254", bench.View.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_address_or_gateway_is_a_reason_to_ask_at_once_and_not_to_forget()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60.5);
        var asked = bench.Asked.Count;
        bench.Kernel(Wan() with { Routes = [new DefaultRoute(AddressFamily.InterNetwork, IPAddress.Parse("10.0.0.9"), 100)] });
        bench.Run(0.001);
        Assert.Equal(bench.Now - TimeSpan.FromMilliseconds(1), bench.Asked[asked].At);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
    }

    [Fact]
    public void A_default_route_that_comes_back_is_asked_before_it_is_believed()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Kernel(Wan() with { Routes = [] });
        Assert.Equal((Reachability.Site, false), (bench.View.Reach, bench.View.IsProven));
        bench.Network = _ => Silent();
        bench.Kernel(Wan());
        bench.Run(60);
        Assert.DoesNotContain("reach-changed internet", bench.Told.Skip(bench.Told.ToList().LastIndexOf("reach-changed site")));
        Assert.Equal(Reachability.None, bench.View.Reach);
    }

    [Fact]
    public void A_doubt_of_a_user_of_the_link_has_it_asked_at_once()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60.5);
        bench.Network = _ => Silent();
        bench.Core.Doubt(2, bench.Now);
        Assert.InRange(bench.Until(view => view.Reach != Reachability.Internet), 0, 1.5);
    }

    [Fact]
    public void What_could_not_be_sent_proves_nothing()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(60);
        bench.Network = _ => new ProbeAnswer(ProbeOutcome.NotSent);
        bench.Run(60);
        Assert.Equal(Reachability.Internet, bench.View.Reach);
        Assert.Equal(0, bench.View.Loss);
    }

    [Fact]
    public void An_answer_to_a_question_of_before_is_not_taken()
    {
        var bench = new Bench(Target) { Network = _ => Silent() };
        bench.Kernel(Wan());
        bench.Run(0.1);
        var late = bench.Asked[^1].Request.Id;
        bench.Kernel(Wan() with { HasCarrier = false });
        bench.Core.Answer(late, Accepted(), bench.Now);
        Assert.Equal((Reachability.None, "no carrier"), (bench.View.Reach, bench.View.Why));
    }

    [Fact]
    public void An_interface_that_goes_is_told_and_forgotten()
    {
        var bench = new Bench(Target);
        bench.Kernel(Wan());
        bench.Run(5);
        bench.Remove(2);
        bench.Run(0);
        Assert.Empty(bench.Core.Views());
        Assert.Equal(["link-down", "reach-changed none"], bench.Told.TakeLast(2));
        Assert.Equal("the interface has gone", bench.Events[^1].Event.Why);
    }

    [Fact]
    public void Virtual_links_are_watched_only_when_they_lead_out()
    {
        var bench = new Bench();
        bench.Kernel(Wan() with { IsVirtual = true, Routes = [] });
        Assert.Empty(bench.Core.Views());
        bench.Kernel(Wan() with { IsVirtual = true });
        Assert.Single(bench.Core.Views());
        bench.Kernel(Wan() with { IsVirtual = true, Routes = [] });
        Assert.Single(bench.Core.Views());
    }

    [Fact]
    public void Named_links_are_watched_whatever_they_are_and_others_are_not()
    {
        var bench = new Bench(new LinksOptions { Names = ["slow0"] });
        bench.Kernel(Wan());
        bench.Kernel(Wan(index: 3, name: "slow0") with { IsVirtual = true, Routes = [] });
        Assert.Equal("slow0", bench.View.Kernel.Name);
    }

    [Fact]
    public void Each_link_is_judged_by_itself()
    {
        var bench = new Bench(Target) { Network = request => request.Link.Index == 2 ? Silent() : Accepted() };
        bench.Kernel(Wan());
        bench.Kernel(Wan(LinkKind.Cellular, 3, "wwan0"));
        bench.Run(30);
        Assert.Equal([Reachability.None, Reachability.Internet], bench.Core.Views().Select(view => view.Reach));
    }

    /// <summary>Without the steps on the way up, which depend on who answers first.</summary>
    private static IEnumerable<string> Settled(Bench bench) => bench.Told.Where(kind => kind != "reach-changed site");
}
