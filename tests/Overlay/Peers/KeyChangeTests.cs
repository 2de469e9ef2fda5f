using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Tests.Sealing;

namespace EdgeFirmware.Overlay.Tests.Peers;

/// <summary>Keys change under a conversation that goes on.</summary>
public sealed class KeyChangeTests : IDisposable
{
    private readonly SmallSite _site = new();
    private readonly Medium _wan = new("wan0", 1, LinkKind.Ethernet);
    private Cluster? _cluster;

    public void Dispose()
    {
        _cluster?.Dispose();
        _site.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void While_new_keys_are_made_the_former_ones_are_heard(int first)
    {
        var cluster = Met(1);
        for (var change = 0; change < 5; change++)
        {
            WearOut(cluster[first]);
            Converse(cluster, 50);
        }
        Assert.All(cluster.Nodes, node => Assert.Equal(0, node.Core.Counts.Strange));
        AssertAllCame(cluster, 250);
    }

    [Fact]
    public void A_peer_that_began_anew_loses_doubles_and_reorders_nothing_whatever_is_lost_of_what_it_says_first()
    {
        for (var seed = 1; seed <= 60; seed++)
        {
            _wan.Loss = 0;
            using var cluster = Met(seed);
            cluster[2].Send(cluster[1], "a");
            cluster[2].Send(cluster[1], "b");
            cluster.Run(1);
            cluster[2].Restart();
            cluster[1].Got.Clear();
            _wan.Loss = 0.4;
            cluster[2].Meet(cluster[1]);
            for (var i = 0; i < 10; i++)
                cluster[2].Send(cluster[1], $"{i}");
            cluster.Run(60);
            Assert.Equal((seed, string.Concat(Enumerable.Range(0, 10))), (seed, string.Concat(cluster[1].Got.Select(message => message.Text))));
        }
    }

    [Fact]
    public void What_was_held_back_from_an_earlier_run_ends_no_session()
    {
        var cluster = Met(1);
        var heldBack = new List<byte[]>();
        var keys = cluster[2].Core.Peers.Single().Keys!;
        var datagram = new byte[PacketSeal.PacketBytesMax];
        heldBack.Add(datagram[..keys.Packets.Seal((byte)PacketType.Run, keys.PeerIndex, [0, 0, 0, 2, 0, 0, 0, 0, 0], datagram)]);
        cluster[2].Restart();
        cluster[2].Meet(cluster[1]);
        cluster[2].Send(cluster[1], "after");
        cluster.Run(5);
        var session = cluster[1].Core.Peers.Single().Session;
        foreach (var late in heldBack)
            cluster.Transmit(cluster[2], _wan, cluster[1], late);
        cluster.Run(1);
        Assert.Same(session, cluster[1].Core.Peers.Single().Session);
    }

    [Fact]
    public void A_peer_that_is_gone_is_not_told_for_ever()
    {
        var cluster = _cluster = new Cluster(1, TrustOf, 2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "hello");
        while (cluster[2].Core.Peers.Single().Keys is null)
            cluster.Run(0.001);
        _wan.Deaf.Add((1, 2));
        _wan.Deaf.Add((2, 1));
        cluster.Run(60);
        _wan.Sent.Clear();
        cluster.Run(600);
        Assert.InRange(_wan.Sent.Count, 0, 600);
    }

    private Cluster Met(int seed)
    {
        var cluster = _cluster = new Cluster(seed, TrustOf, 2, _wan);
        cluster.Run(1);
        cluster[1].Send(cluster[2], "hello");
        cluster.Run(2);
        foreach (var node in cluster.Nodes)
            node.Got.Clear();
        return cluster;
    }

    private static void WearOut(Cluster.Node node) => node.Core.Peers.Single().Keys!.Packets.Forged = PacketSeal.ForgedDue;

    private static void Converse(Cluster cluster, int messages)
    {
        for (var i = 0; i < messages; i++)
        {
            cluster[1].Send(cluster[2], $"{i}");
            cluster[2].Send(cluster[1], $"{i}");
            cluster.Run(0.01);
        }
        cluster.Run(1);
    }

    private static void AssertAllCame(Cluster cluster, int messages)
    {
        foreach (var node in cluster.Nodes)
            Assert.Equal(Enumerable.Range(0, messages).Select(i => $"{i % 50}"), node.Got.Select(message => message.Text));
    }

    private SmallSite.Member TrustOf(NodeId node) => _site.Join(node, ECCurve.NamedCurves.nistP256);
}
