using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Tests.Sealing;

namespace EdgeFirmware.Overlay.Tests.Peers;

public sealed class OverlayCoreTests : IDisposable
{
    private readonly SmallSite _site = new();
    private readonly Medium _wan = new("wan0", 1, LinkKind.Ethernet);
    private readonly Medium _radio = new("lowpan0", 2, LinkKind.SixLowpan);
    private Cluster? _cluster;

    public void Dispose()
    {
        _cluster?.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void Nodes_that_share_a_link_find_each_other_and_the_first_message_takes_a_few_round_trips()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "hello");
        cluster.Run(0.1); // three ways of 3 ms each for the handshake, the run, and the message
        Assert.Equal([(cluster[1].Id, "hello")], cluster[2].Got);
        Assert.Equal([(1L, true)], cluster[1].Ended);
    }

    [Fact]
    public void The_second_message_takes_one_way()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "hello");
        cluster.Run(1);
        cluster[1].Send(cluster[2], "again");
        cluster.Run(0.004);
        Assert.Equal(2, cluster[2].Got.Count);
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.4)]
    public void A_lossy_link_only_takes_longer(double loss)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            _wan.Loss = loss;
            using var cluster = new Cluster(seed, TrustOf, 2, _wan);
            cluster[1].Meet(cluster[2]);
            for (var i = 0; i < 20; i++)
                cluster[1].Send(cluster[2], $"{i}");
            cluster.Run(60);
            Assert.Equal(Enumerable.Range(0, 20).Select(i => $"{i}"), cluster[2].Got.Select(message => message.Text));
        }
    }

    [Fact]
    public void What_nobody_waits_for_any_more_is_not_sent_and_nobody_is_greeted_for_it()
    {
        var cluster = Of(2, _wan);
        _wan.Deaf.Add((1, 2));
        cluster[1].Meet(cluster[2]);
        var token = cluster[1].Send(cluster[2], "in vain");
        cluster.Run(10);
        cluster[1].Core.Withdraw(cluster[2].Id, 1, token);
        cluster.Run(100);
        _wan.Sent.Clear();
        _wan.Deaf.Clear();
        cluster.Run(100);
        Assert.DoesNotContain(_wan.Sent, datagram => datagram[0] == (byte)PacketType.First);
        cluster[1].Send(cluster[2], "wanted");
        cluster.Run(1);
        Assert.Equal(["wanted"], cluster[2].Got.Select(message => message.Text));
    }

    [Fact]
    public void Both_may_begin_at_once()
    {
        var cluster = Of(2, _wan, _radio);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "a");
        cluster[2].Send(cluster[1], "b");
        cluster.Run(1);
        for (var i = 0; i < 50; i++)
        {
            cluster[1].Send(cluster[2], $"{i}");
            cluster[2].Send(cluster[1], $"{i}");
            cluster.Run(0.05);
        }
        cluster.Run(1);
        Assert.Equal(51, cluster[1].Got.Count);
        Assert.Equal(51, cluster[2].Got.Count);
        Assert.Equal(0, cluster[1].Core.Counts.Forged);
    }

    [Fact]
    public void When_the_wire_is_cut_the_radio_carries_on()
    {
        var cluster = Of(2, _wan, _radio);
        cluster.Run(3);
        cluster[1].Send(cluster[2], "over the wire");
        cluster.Run(3);
        Assert.Equal("wan0", cluster[1].Core.Views()[0].Path!.Link);
        _wan.IsUp = false;
        cluster[1].LinksAre();
        cluster[2].LinksAre();
        cluster[1].Send(cluster[2], "over the radio");
        cluster.Run(0.2);
        Assert.Equal(["over the wire", "over the radio"], cluster[2].Got.Select(message => message.Text));
        var change = cluster[1].Events[^1];
        Assert.Equal(("path-changed", "no carrier on wan0", "wan0", "lowpan0"), (change.Kind, change.Why, change.Details!["from"], change.Details["to"]));
    }

    [Fact]
    public void A_link_that_is_left_since_it_is_silent_is_doubted_and_one_that_says_itself_that_it_is_down_is_not()
    {
        var cluster = Of(2, _wan, _radio);
        cluster.Run(3);
        cluster[1].Send(cluster[2], "one");
        cluster.Run(3);
        Assert.Empty(cluster[1].Core.Doubted);
        _wan.Deaf.UnionWith([(1, 2), (2, 1)]);
        cluster[1].Send(cluster[2], "two");
        cluster.Run(3);
        Assert.Equal("lowpan0", cluster[1].Core.Views()[0].Path!.Link);
        Assert.Equal([_wan.Index], cluster[1].Core.Doubted);
        _radio.IsUp = false;
        cluster[1].LinksAre();
        cluster.Run(1);
        Assert.Equal([_wan.Index], cluster[1].Core.Doubted);
    }

    [Fact]
    public void A_peer_that_began_anew_is_met_again_and_what_it_had_not_dealt_with_is_told()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "one");
        cluster.Run(1);
        _wan.Deaf.Add((1, 2));
        var lost = cluster[1].Send(cluster[2], "two");
        cluster.Run(0.5);
        cluster[2].Restart();
        _wan.Deaf.Clear();
        cluster.Run(40);
        Assert.Equal((lost, false), cluster[1].Ended[^1]);
        cluster[1].Send(cluster[2], "three");
        cluster.Run(5);
        Assert.Equal(["one", "three"], cluster[2].Got.Select(message => message.Text));
    }

    [Fact]
    public void A_peer_that_began_anew_and_speaks_first_is_heard()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "one");
        cluster.Run(1);
        cluster[2].Restart();
        cluster.Run(5);
        cluster[2].Send(cluster[1], "back");
        cluster.Run(5);
        Assert.Equal([(cluster[2].Id, "back")], cluster[1].Got);
    }

    [Fact]
    public void Nothing_is_sent_when_nothing_is_said_and_the_session_is_there_when_something_is()
    {
        var cluster = Of(2, _wan, _radio);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "one");
        cluster.Run(200);
        _wan.Sent.Clear();
        cluster.Run(600);
        Assert.InRange(_wan.Sent.Count, 10, 30); // that they are here, each a minute
        Assert.All(_wan.Sent, datagram => Assert.Equal((byte)PacketType.Here, datagram[0]));
        cluster[1].Send(cluster[2], "two");
        cluster.Run(0.02);
        Assert.Equal(2, cluster[2].Got.Count);
    }

    [Fact]
    public void Who_is_shut_out_is_heard_no_more()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[2].Send(cluster[1], "one");
        cluster.Run(1);
        _site.Judges(cluster[2].Id, PeerAdmission.Refused, "revoked");
        cluster[1].Core.JudgeAgain();
        cluster[2].Send(cluster[1], "two");
        cluster.Run(60);
        Assert.Equal(["one"], cluster[1].Got.Select(message => message.Text));
        Assert.True(cluster[1].Core.Counts.Refused > 0);
    }

    [Fact]
    public void A_recording_of_all_that_was_sent_does_nothing()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        for (var i = 0; i < 10; i++)
            cluster[1].Send(cluster[2], $"{i}");
        cluster.Run(1);
        var recorded = _wan.Sent.ToList();
        foreach (var datagram in recorded)
            cluster.Transmit(cluster[1], _wan, cluster[2], datagram);
        cluster.Run(1);
        Assert.Equal(10, cluster[2].Got.Count);
        Assert.True(cluster[2].Core.Counts.Replayed > 0);
        cluster[1].Send(cluster[2], "still there");
        cluster.Run(0.1);
        Assert.Equal("still there", cluster[2].Got[^1].Text);
    }

    [Fact]
    public void Any_bytes_are_taken_without_harm()
    {
        var cluster = Of(2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "one");
        cluster.Run(1);
        var random = new Random(6);
        var seen = _wan.Sent.ToList();
        for (var i = 0; i < 5000; i++)
        {
            var bytes = random.Next(3) == 0 ? new byte[random.Next(0, 120)] : (byte[])seen[random.Next(seen.Count)].Clone();
            if (bytes.Length > 0)
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            cluster.Transmit(cluster[1], _wan, cluster[2], bytes);
            if (i % 100 == 0)
                cluster.Run(1);
        }
        cluster.Run(20);
        cluster[1].Send(cluster[2], "two");
        cluster.Run(5);
        Assert.Equal(["one", "two"], cluster[2].Got.Select(message => message.Text));
    }

    [Fact]
    public void Twenty_nodes_speak_with_each_other_over_lossy_links()
    {
        _wan.Loss = 0.1;
        var cluster = Of(20, _wan, _radio);
        cluster.Run(5);
        foreach (var from in cluster.Nodes)
            foreach (var to in cluster.Nodes)
                if (from != to)
                    from.Send(to, "all");
        cluster.Run(30);
        Assert.All(cluster.Nodes, node => Assert.Equal(19, node.Got.Count));
    }

    private SmallSite.Member TrustOf(NodeId node) => _site.Join(node, ECCurve.NamedCurves.nistP256);

    private Cluster Of(int nodes, params Medium[] media) => _cluster = new Cluster(1, TrustOf, nodes, media);
}
