using System.Security.Cryptography;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Tests.Sealing;
using Xunit.Abstractions;

namespace EdgeFirmware.Overlay.Tests.Peers;

public sealed class RelayGridTests(ITestOutputHelper output) : IDisposable
{
    private const int Side = 10;

    private readonly SmallSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void A_hundred_nodes_of_which_each_hears_its_neighbours_all_reach_one_and_telling_of_routes_comes_to_an_end()
    {
        var radio = new Medium("lowpan0", 1, LinkKind.SixLowpan)
        {
            Reaches = static (from, to) => Math.Abs((from - 1) % Side - (to - 1) % Side) <= 1 && Math.Abs((from - 1) / Side - (to - 1) / Side) <= 1,
        };
        using var cluster = new Cluster(1, node => _site.Join(node, ECCurve.NamedCurves.nistP256), Side * Side, static _ => true, radio);
        cluster.Run(180);
        var told = cluster.Nodes.Sum(node => node.Core.Counts.ToldBytes);
        var reached = cluster.Nodes.Min(node => node.Core.Reached().Count);
        output.WriteLine($"after 180 s a node is told of {reached} others at least; {told / 100.0 / 684 * 100:0} bytes a neighbour, {radio.Sent.Sum(static datagram => datagram.Length) / 100} bytes a node in all");
        var sink = cluster[45];
        foreach (var node in cluster.Nodes)
            if (node != sink)
                node.Send(sink, "all");
        cluster.Run(60);
        Assert.Equal(Side * Side - 1, sink.Got.Count);
        Assert.InRange(told / 684, 1, 12_000);
        told = cluster.Nodes.Sum(node => node.Core.Counts.ToldBytes);
        cluster.Run(300);
        Assert.Equal(told, cluster.Nodes.Sum(node => node.Core.Counts.ToldBytes));
    }
}
