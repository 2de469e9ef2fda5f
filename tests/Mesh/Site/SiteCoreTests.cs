using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Site;

public sealed class SiteCoreTests : IDisposable
{
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(32)]
    public void Nodes_learn_each_others_certificates(int count)
    {
        using var nodes = new SimulatedAuthority(_site, count, seed: 1);
        nodes.Run(TimeSpan.FromMinutes(60));
        Assert.All(nodes.All, core => Assert.Equal(count, core.View(nodes.Now).Members.Count));
    }

    [Fact]
    public void Two_nodes_that_agree_say_so_in_two_turns_and_two_that_do_not_in_a_few_more()
    {
        using var nodes = new SimulatedAuthority(_site, 2, seed: 1) { Reaches = (_, _) => false };
        Assert.InRange(Converse(), 3, 5);
        Assert.Equal(2, Converse());

        int Converse() => SimulatedAuthority.Converse(nodes[1], TestSite.Node(1), nodes[2], TestSite.Node(2), nodes.Now);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_change_of_keys_loses_no_member_although_half_of_the_conversations_fail(int seed)
    {
        using var nodes = new SimulatedAuthority(_site, 24, seed);
        nodes.Run(TimeSpan.FromSeconds(5));
        var random = new Random(seed);
        nodes.Reaches = (_, _) => random.Next(2) == 0;
        Assert.Equal("", nodes[1].ChangeKey(isUrgent: false, nodes.Now));
        var lost = 0;
        for (var second = 0; second < 900; second++)
        {
            nodes.Run(TimeSpan.FromSeconds(1));
            for (var i = 0; i < 10; i++)
                if (random.Next(1, 25) is var from && random.Next(1, 25) is var to && from != to && nodes.Send(from, to) != OpenOutcome.Genuine)
                    lost++;
        }
        // A node that both waves and the loss have passed by is told by the first datagram under the new key.
        Assert.InRange(lost, 0, 40);
        Assert.All(nodes.All, core => Assert.Equal(2u, core.View(nodes.Now).GossipKey));
        for (var from = 1; from <= 24; from++)
            Assert.Equal(OpenOutcome.Genuine, nodes.Send(from, from % 24 + 1));
    }

    [Fact]
    public void A_revoked_node_is_out_everywhere_within_seconds_and_out_of_gossip_soon_after()
    {
        using var nodes = new SimulatedAuthority(_site, 16, seed: 4);
        nodes.Run(TimeSpan.FromMinutes(30));
        Assert.Equal("", nodes[1].Revoke("node-5", nodes.Now));
        nodes.Run(TimeSpan.FromSeconds(4));
        for (var i = 1; i <= 16; i++)
            if (i != 5)
                Assert.Contains(TestSite.Node(5), nodes[i].View(nodes.Now).ShutOut);
        nodes.Run(TimeSpan.FromSeconds(20));
        Assert.Equal(OpenOutcome.UnknownKey, nodes.Send(5, 6));
        Assert.Equal(OpenOutcome.UnknownKey, nodes.Send(6, 5));
        Assert.Equal(OpenOutcome.Genuine, nodes.Send(6, 7));
        Assert.Equal(15, nodes.Events.Count(one => one.Happened is { Kind: "revoked" } happened && happened.Subject == TestSite.Node(5).Value));
        nodes.Run(TimeSpan.FromMinutes(30));
        Assert.Equal(1u, nodes[5].View(nodes.Now).GossipKey); // it has not been given the new key
    }

    [Fact]
    public void A_node_that_was_away_while_the_key_changed_comes_back_by_the_first_datagram_it_cannot_open()
    {
        var away = true;
        using var nodes = new SimulatedAuthority(_site, 5, seed: 4);
        nodes.Reaches = (one, other) => !away || (one != TestSite.Node(5) && other != TestSite.Node(5));
        nodes.Run(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 3; i++)
        {
            nodes[1].ChangeKey(isUrgent: false, nodes.Now);
            nodes.Run(TimeSpan.FromMinutes(12));
        }
        away = false;
        Assert.Equal(OpenOutcome.UnknownKey, nodes.Send(1, 5));
        nodes.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(OpenOutcome.Genuine, nodes.Send(1, 5));
        Assert.Equal(OpenOutcome.Genuine, nodes.Send(5, 1));
    }

    [Fact]
    public void Lists_are_obeyed_in_the_order_of_their_numbers_whatever_comes_first()
    {
        var core = new SiteCore(_site.Start(TestSite.Node(1)), new Random(1), default);
        var gone = _site.Issue(TestSite.Node(2));
        var first = _site.Authority.SignRevocations(1, [], 0);
        var second = _site.Authority.SignRevocations(2, [new RevokedKey(gone.KeyHash, gone.Node)], 0);
        Assert.Equal("", core.RevocationsCame(second.Bytes, null, default));
        Assert.Equal("", core.RevocationsCame(first.Bytes, null, default));
        Assert.Contains(gone.Node, core.View(default).ShutOut);
        Assert.Equal("", core.CertificateCame(gone.Der, default));
        Assert.DoesNotContain(gone.Node, core.View(default).Members.Keys); // nor does its certificate come back
    }

    [Fact]
    public void What_is_not_the_authoritys_ends_the_conversation()
    {
        using var stranger = new TestSite();
        var core = new SiteCore(_site.Start(TestSite.Node(1)), new Random(1), default);
        SiteMessage[] lies =
        [
            new SiteRevocations(stranger.Authority.SignRevocations(9, [], 0).Bytes), new SiteKeys(stranger.Authority.SignNewKey(stranger.Keys, true, 0).Bytes),
            new SiteMember(stranger.Issue(TestSite.Node(4)).Der), new SiteMember([1, 2, 3]),
        ];
        foreach (var lie in lies)
            Assert.Throws<PeerException>(() => core.Converse(TestSite.Node(2), isOpener: false, mayOnlyRenew: false).Answer([new SiteSummary(0, 0, 0, null, false, 0), lie, new SiteTurn()], default));
        Assert.Throws<PeerException>(() => core.Converse(TestSite.Node(2), isOpener: false, mayOnlyRenew: false).Answer([new SiteTurn()], default));
    }

    [Fact]
    public void A_peer_that_never_comes_to_an_end_is_cut_off()
    {
        var core = new SiteCore(_site.Start(TestSite.Node(1)), new Random(1), default);
        var exchange = core.Converse(TestSite.Node(2), isOpener: false, mayOnlyRenew: false);
        Assert.Throws<PeerException>(() =>
        {
            for (var i = 0; i < 100; i++)
                exchange.Answer([new SiteSummary(0, 0, 0, null, false, 0), new SiteTurn()], default);
        });
    }

    [Fact]
    public void Certificates_are_renewed_when_a_third_of_their_life_is_left()
    {
        using var nodes = new SimulatedAuthority(_site, 4, seed: 6);
        nodes.Run(TimeSpan.FromMinutes(1));
        var before = nodes[3].View(nodes.Now).Own;
        nodes.Clock = _ => TestSite.Today + 240 * TestSite.Day;
        nodes.Run(TimeSpan.FromMinutes(30));
        Assert.Same(before, nodes[3].View(nodes.Now).Own);
        nodes.Clock = _ => TestSite.Today + 250 * TestSite.Day;
        nodes.Run(TimeSpan.FromMinutes(30));
        for (var i = 1; i <= 4; i++)
            Assert.InRange(nodes[i].View(nodes.Now).Own.NotAfter, TestSite.Today + 600 * TestSite.Day, TestSite.Today + 620 * TestSite.Day);
        Assert.Equal(before.KeyHash, nodes[3].View(nodes.Now).Own.KeyHash);
    }

    [Fact]
    public void A_node_that_was_off_for_two_years_renews_and_is_a_member_again()
    {
        using var nodes = new SimulatedAuthority(_site, 4, seed: 6, number => _site.Start(
            TestSite.Node(number), issues: number == 1, at: number == 4 ? TestSite.Today : TestSite.Today + 720 * TestSite.Day))
        {
            Clock = id => id == TestSite.Node(4) ? 0 : TestSite.Today + 730 * TestSite.Day, // and its clock says 1970
        };
        nodes[1].ChangeKey(isUrgent: true, nodes.Now);
        nodes.Run(TimeSpan.FromSeconds(1));
        nodes.Run(TimeSpan.FromMinutes(40));
        Assert.InRange(nodes[4].View(nodes.Now).Own.NotAfter, TestSite.Today + 1000 * TestSite.Day, long.MaxValue);
        Assert.Equal(2u, nodes[4].View(nodes.Now).GossipKey);
    }

    [Fact]
    public void When_all_clocks_say_1970_dates_do_not_count_and_everything_else_does()
    {
        using var nodes = new SimulatedAuthority(_site, 3, seed: 6) { Clock = _ => 0 };
        nodes.Run(TimeSpan.FromMinutes(30));
        var view = nodes[2].View(nodes.Now);
        Assert.False(view.Now.IsKnown);
        Assert.Equal(3, view.Members.Count);
        Assert.False(view.HasExpired(_site.Issue(TestSite.Node(9), TestSite.Today - 900 * TestSite.Day), nodes.Now));
        Assert.Equal("", nodes[1].Revoke("node-3", nodes.Now));
        nodes.Run(TimeSpan.FromSeconds(3));
        Assert.Contains(TestSite.Node(3), nodes[2].View(nodes.Now).ShutOut);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_authority_that_has_never_heard_of_a_node_renews_its_certificate_all_the_same(bool opens)
    {
        const long late = TestSite.Today + 400 * TestSite.Day;
        var authority = new SiteCore(_site.Start(TestSite.Node(1), issues: true, at: late), new Random(1), default);
        var node = new SiteCore(_site.Start(TestSite.Node(2)), new Random(2), default);
        authority.Advance(late, default);
        node.Advance(late, default);
        if (opens)
            SimulatedAuthority.Converse(node, TestSite.Node(2), authority, TestSite.Node(1), default, mayOnlyRenew: true);
        else
            SimulatedAuthority.Converse(authority, TestSite.Node(1), node, TestSite.Node(2), default);
        Assert.InRange(node.View(default).Own.NotAfter, late + 300 * TestSite.Day, long.MaxValue);
    }

    [Fact]
    public void A_node_that_meets_itself_at_a_seed_does_not_take_itself_for_a_second_clock()
    {
        var core = new SiteCore(_site.Start(TestSite.Node(1)), new Random(1), default);
        core.Advance(TestSite.Today, default);
        SimulatedAuthority.Converse(core, TestSite.Node(1), core, TestSite.Node(1), default);
        core.Advance(TestSite.Today, default);
        Assert.False(core.View(default).Now.IsKnown);
    }

    [Fact]
    public void Datagrams_nobody_can_open_make_a_node_knock_seldom()
    {
        var core = new SiteCore(_site.Start(TestSite.Node(1)), new Random(1), default);
        core.Advance(TestSite.Today, default);
        core.Outbox.Clear();
        for (var i = 0; i < 1000; i++)
            core.StrangeDatagram(TestSite.Address(i), default);
        Assert.Single(core.Outbox);
    }
}
