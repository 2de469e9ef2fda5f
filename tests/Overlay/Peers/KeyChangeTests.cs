using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
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
