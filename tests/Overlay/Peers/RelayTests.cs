using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Tests.Sealing;
using Xunit.Abstractions;

namespace EdgeFirmware.Overlay.Tests.Peers;

/// <summary>Nodes that reach each other only through others.</summary>
public sealed class RelayTests(ITestOutputHelper output) : IDisposable
{
    private readonly SmallSite _site = new();
    private Cluster? _cluster;

    public void Dispose()
    {
        _cluster?.Dispose();
        _site.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(7)]
    public void A_node_behind_relays_is_reached_by_its_ID_and_answers(int relays)
    {
        var cluster = Line(relays, LinkKind.Ethernet);
        var (first, last) = (cluster[1], cluster[relays + 2]);
        cluster.Run(10);
        first.Send(last, "there");
        last.Send(first, "and back");
        cluster.Run(2);
        Assert.Equal([(first.Id, "there")], last.Got);
        Assert.Equal([(last.Id, "and back")], first.Got);
        Assert.Equal([(1L, true)], first.Ended);
        Assert.Equal(last.Number == 3 ? cluster[2].Id : cluster[2].Id, first.Core.Views().Single(peer => peer.Id == last.Id).Path!.Via);
    }

    [Fact]
    public void Beyond_seven_relays_nobody_is_told_of()
    {
        var cluster = Line(8, LinkKind.Ethernet);
        cluster.Run(20);
        Assert.DoesNotContain(cluster[10].Id, cluster[1].Core.Reached());
        Assert.Contains(cluster[9].Id, cluster[1].Core.Reached());
    }

    [Theory]
    [InlineData(1, LinkKind.Ethernet)]
    [InlineData(3, LinkKind.Ethernet)]
    [InlineData(1, LinkKind.SixLowpan)]
    [InlineData(3, LinkKind.SixLowpan)]
    public void A_round_trip_takes_little_more_than_the_links_do(int relays, LinkKind kind)
    {
        var cluster = Line(relays, kind);
        var (first, last) = (cluster[1], cluster[relays + 2]);
        cluster.Run(60);
        first.Send(last, "meet");
        cluster.Run(20);
        var sum = cluster.Media.Sum(medium => medium.Delay.TotalMilliseconds) * 2;
        var (worst, came) = (0.0, first.Ended.Count);
        for (var i = 0; i < 50; i++)
        {
            var sent = cluster.Now;
            first.Send(last, $"{i}");
            while (last.Got.Count <= i + 1)
                cluster.Run(0.001);
            last.Send(first, $"{i}");
            while (first.Got.Count <= i)
                cluster.Run(0.001);
            worst = Math.Max(worst, (cluster.Now - sent).TotalMilliseconds);
            cluster.Run(0.3);
        }
        output.WriteLine($"{relays} relays of {kind}: worst {worst:0.0} ms, the links {sum:0.0} ms, ratio {worst / sum:0.00}; "
            + $"path {first.Core.Views().Single(peer => peer.Id == last.Id).Path!.RoundTrip!.Value.TotalMilliseconds:0.0} ms");
        Assert.InRange(worst, sum, 3 * sum);
    }

    /// <summary>1 — {2, 3} — 4, and one of the two gateways falls silent.</summary>
    [Theory]
    [InlineData(LinkKind.Ethernet)]
    [InlineData(LinkKind.SixLowpan)]
    public void A_gateway_that_dies_costs_nothing_but_a_moment(LinkKind behind)
    {
        var cluster = Of(4, node => node is 2 or 3, new Medium("wan0", 1, LinkKind.Ethernet, 1, 2, 3), new Medium("in0", 2, behind, 2, 3, 4));
        cluster.Run(30);
        cluster[1].Send(cluster[4], "0");
        cluster.Run(5);
        var via = cluster[1].Core.Views().Single(peer => peer.Id == cluster[4].Id).Path!.Via;
        var (dies, stays) = via == cluster[2].Id ? (cluster[2], cluster[3]) : (cluster[3], cluster[2]);
        var worst = 0.0;
        for (var i = 1; i <= 300; i++)
        {
            if (i == 100)
                dies.IsDead = true;
            cluster[1].Send(cluster[4], $"{i}");
            cluster[4].Send(cluster[1], $"{i}");
            cluster.Run(0.02);
            if (cluster[4].Got.Count > i && worst == 0 && i > 100)
                worst = (i - 99) * 20;
        }
        cluster.Run(5);
        Assert.Equal(Enumerable.Range(0, 301).Select(i => $"{i}"), cluster[4].Got.Select(message => message.Text));
        Assert.Equal(Enumerable.Range(1, 300).Select(i => $"{i}"), cluster[1].Got.Select(message => message.Text));
        Assert.Equal(stays.Id, cluster[1].Core.Views().Single(peer => peer.Id == cluster[4].Id).Path!.Via);
        output.WriteLine($"{behind}: all is there again after {worst} ms");
        Assert.InRange(worst, 0, 3000);
    }

    /// <summary>1 — {2, 3} — 4 — 5 — 6: the relay behind the gateways does not know yet which of them is dead, and answers go back as the questions came.</summary>
    [Fact]
    public void A_gateway_that_dies_far_from_the_other_end_costs_no_more()
    {
        var cluster = Of(6, node => node is > 1 and < 6, new Medium("wan0", 1, LinkKind.Ethernet, 1, 2, 3), new Medium("in0", 2, LinkKind.Ethernet, 2, 3, 4),
            new Medium("mid0", 3, LinkKind.Ethernet, 4, 5), new Medium("end0", 4, LinkKind.Ethernet, 5, 6));
        cluster.Run(30);
        cluster[1].Send(cluster[6], "0");
        cluster.Run(5);
        var via = cluster[1].Core.Views().Single(peer => peer.Id == cluster[6].Id).Path!.Via;
        (via == cluster[2].Id ? cluster[2] : cluster[3]).IsDead = true;
        cluster[1].Send(cluster[6], "1");
        cluster.Run(1.5);
        Assert.Equal(2, cluster[6].Got.Count);
        Assert.Equal(2, cluster[1].Ended.Count);
    }

    /// <summary>1 — 2 — {3, 4} — 5: it is the relay in the middle that has to find another way.</summary>
    [Fact]
    public void A_relay_in_the_middle_that_dies_is_passed_by()
    {
        var cluster = Of(5, node => node is 2 or 3 or 4, new Medium("a", 1, LinkKind.Ethernet, 1, 2), new Medium("b", 2, LinkKind.Ethernet, 2, 3, 4), new Medium("c", 3, LinkKind.Ethernet, 3, 4, 5));
        cluster.Run(10);
        cluster[1].Send(cluster[5], "0");
        cluster.Run(3);
        var dies = cluster[3].Core.Counts.Relayed > cluster[4].Core.Counts.Relayed ? cluster[3] : cluster[4];
        dies.IsDead = true;
        for (var i = 1; i <= 100; i++)
        {
            cluster[1].Send(cluster[5], $"{i}");
            cluster.Run(0.1);
        }
        Assert.Equal(Enumerable.Range(0, 101).Select(i => $"{i}"), cluster[5].Got.Select(message => message.Text));
    }

    [Fact]
    public void A_cable_that_is_pulled_leaves_the_radio_and_the_gateway_and_one_that_comes_back_is_used_again()
    {
        var (wan, radio) = (new Medium("wan0", 1, LinkKind.Ethernet), new Medium("lowpan0", 2, LinkKind.SixLowpan, 2, 3));
        var cluster = Of(3, node => node == 2, wan, radio);
        cluster.Run(30);
        cluster[1].Send(cluster[3], "0");
        cluster.Run(3);
        wan.Deaf.UnionWith([(1, 3), (3, 1), (2, 3), (3, 2)]);
        for (var i = 1; i <= 50; i++)
        {
            cluster[1].Send(cluster[3], $"{i}");
            cluster.Run(0.2);
        }
        Assert.Equal(Enumerable.Range(0, 51).Select(i => $"{i}"), cluster[3].Got.Select(message => message.Text));
        Assert.Equal(cluster[2].Id, cluster[1].Core.Views().Single(peer => peer.Id == cluster[3].Id).Path!.Via);
        wan.Deaf.Clear();
        cluster.Run(30);
        cluster[1].Send(cluster[3], "home");
        cluster.Run(30);
        Assert.Null(cluster[1].Core.Views().Single(peer => peer.Id == cluster[3].Id).Path!.Via);
    }

    [Fact]
    public void In_a_ring_no_datagram_goes_round_whatever_breaks()
    {
        const int nodes = 8;
        var media = Enumerable.Range(0, nodes).Select(i => new Medium($"l{i}", i + 1, LinkKind.Ethernet, i + 1, (i + 1) % nodes + 1)).ToArray();
        var cluster = Of(nodes, _ => true, media);
        cluster.Run(15);
        for (var round = 0; round < nodes; round++)
        {
            media[round].IsUp = false; // nobody is told
            foreach (var node in cluster.Nodes)
                node.Send(cluster[(node.Number + 3) % nodes + 1], $"{round}");
            cluster.Run(20);
            media[round].IsUp = true;
            cluster.Run(40);
        }
        Assert.All(cluster.Nodes, node => Assert.Equal(nodes, node.Got.Count));
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Core.Counts.Circling));
    }

    [Fact]
    public void Who_is_not_a_relay_passes_nothing_on_and_tells_of_nobody()
    {
        var cluster = Of(3, _ => false, new Medium("a", 1, LinkKind.Ethernet, 1, 2), new Medium("b", 2, LinkKind.Ethernet, 2, 3));
        cluster.Run(10);
        cluster[1].Send(cluster[2], "to the one between");
        cluster[2].Send(cluster[3], "and on");
        cluster[1].Send(cluster[3], "further");
        cluster.Run(20);
        Assert.Equal(["and on"], cluster[3].Got.Select(message => message.Text));
        Assert.DoesNotContain(cluster[3].Id, cluster[1].Core.Reached());
    }

    [Fact]
    public void Two_halves_that_are_joined_again_know_of_each_other()
    {
        var bridge = new Medium("bridge", 3, LinkKind.Ethernet, 2, 3);
        var cluster = Of(4, node => node is 2 or 3, new Medium("a", 1, LinkKind.Ethernet, 1, 2), new Medium("b", 2, LinkKind.Ethernet, 3, 4), bridge);
        cluster.Run(10);
        cluster[1].Send(cluster[4], "0");
        cluster.Run(3);
        for (var i = 1; i <= 3; i++)
        {
            bridge.IsUp = false;
            cluster.Run(5);
            cluster[1].Send(cluster[4], $"{i}");
            cluster.Run(60);
            Assert.Equal(i, cluster[4].Got.Count);
            Assert.DoesNotContain(cluster[4].Id, cluster[1].Core.Reached());
            bridge.IsUp = true;
            cluster.Run(120);
            Assert.Equal(i + 1, cluster[4].Got.Count);
        }
    }

    [Fact]
    public void A_gateway_that_begins_anew_relays_again()
    {
        var cluster = Line(1, LinkKind.Ethernet);
        cluster.Run(10);
        cluster[1].Send(cluster[3], "0");
        cluster.Run(200); // all asleep
        cluster[2].Restart();
        cluster.Run(90);
        cluster[1].Send(cluster[3], "1");
        cluster.Run(10);
        Assert.Equal(["0", "1"], cluster[3].Got.Select(message => message.Text));
    }

    [Fact]
    public void While_nothing_is_said_and_nothing_changes_relaying_costs_nothing_but_that_nodes_are_there()
    {
        var cluster = Line(3, LinkKind.SixLowpan);
        cluster.Run(60);
        cluster[1].Send(cluster[5], "0");
        cluster.Run(300);
        foreach (var medium in cluster.Media)
            medium.Sent.Clear();
        cluster.Run(600);
        output.WriteLine(string.Join(", ", cluster.Media.Select(medium => $"{medium.Sent.Count} datagrams")));
        Assert.All(cluster.Media, medium => Assert.All(medium.Sent, datagram => Assert.Equal((byte)PacketType.Here, datagram[0])));
        cluster[1].Send(cluster[5], "1");
        cluster.Run(1);
        Assert.Equal(2, cluster[5].Got.Count);
    }

    [Fact]
    public void A_large_message_goes_through_a_gateway_and_no_datagram_is_too_long()
    {
        var cluster = Line(3, LinkKind.Ethernet);
        cluster.Run(10);
        var text = new string('x', 200_000);
        cluster[1].Send(cluster[5], text);
        cluster.Run(5);
        Assert.Equal([(cluster[1].Id, text)], cluster[5].Got);
        Assert.All(cluster.Media.SelectMany(medium => medium.Sent), datagram => Assert.InRange(datagram.Length, 1, 1232));
        Assert.Contains(cluster.Media.SelectMany(medium => medium.Sent), datagram => datagram.Length > 1200);
    }

    /// <summary>1 — 2 — … , each link with its two nodes alone; those between relay.</summary>
    private Cluster Line(int relays, LinkKind kind) => Of(
        relays + 2, node => node > 1 && node < relays + 2, [.. Enumerable.Range(1, relays + 1).Select(i => new Medium($"{kind}{i}", i, i == 1 ? LinkKind.Ethernet : kind, i, i + 1))]);

    private SmallSite.Member TrustOf(NodeId node) => _site.Join(node, ECCurve.NamedCurves.nistP256);

    private Cluster Of(int nodes, Func<int, bool> relays, params Medium[] media) => _cluster = new Cluster(1, TrustOf, nodes, relays, media);
}
