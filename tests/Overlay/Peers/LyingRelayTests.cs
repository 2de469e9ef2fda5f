using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Relaying;
using EdgeFirmware.Overlay.Tests.Sealing;

namespace EdgeFirmware.Overlay.Tests.Peers;

/// <summary>1 — {2, 3} — 4, and the third node, with keys of the site, does to what it should pass on what it likes.</summary>
public sealed class LyingRelayTests : IDisposable
{
    private readonly SmallSite _site = new();
    private readonly Medium _wan = new("wan0", 1, LinkKind.Ethernet, 1, 2, 3);
    private readonly Medium _in = new("in0", 2, LinkKind.Ethernet, 2, 3, 4);
    private readonly Random _random = new(5);
    private readonly Cluster _cluster;

    public LyingRelayTests() =>
        _cluster = new Cluster(1, node => _site.Join(node, ECCurve.NamedCurves.nistP256), 4, static node => node is 2 or 3, _wan, _in);

    private Cluster.Node Liar => _cluster[3];

    public void Dispose()
    {
        _cluster.Dispose();
        _site.Dispose();
    }

    [Theory]
    [InlineData("changes")]
    [InlineData("drops")]
    [InlineData("repeats")]
    [InlineData("misleads")]
    public void A_relay_that_lies_can_do_no_more_than_lose_what_goes_through_it(string what)
    {
        var kept = new List<byte[]>();
        Liar.Lies = core =>
        {
            foreach (var relayed in core.Passing)
                switch (what)
                {
                    case "changes": relayed[_random.Next(RelayedHeader.Bytes, relayed.Length)] ^= (byte)_random.Next(1, 256); break;
                    case "drops": relayed[0] = 0; relayed.AsSpan(RelayedHeader.Bytes).Clear(); break;
                    case "repeats": kept.Add([.. relayed]); break;
                    case "misleads": relayed.AsSpan(1, 4).CopyTo(relayed.AsSpan(5)); break;
                }
        };
        _cluster.Run(10);
        Exchange(0, 50);
        Boast();
        for (var i = 50; i < 200; i += 10)
        {
            Exchange(i, 10);
            foreach (var relayed in kept.Take(200).ToList())
                Inject(relayed, RelayedHeader.Read(relayed).To == NodeHandle.Of(_cluster[1].Id) ? _cluster[1] : _cluster[4]);
        }
        _cluster.Run(20);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), _cluster[4].Got.Select(message => message.Text));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"{i}"), _cluster[1].Got.Select(message => message.Text));
    }

    [Fact]
    public void One_that_tells_of_everybody_as_its_neighbour_draws_what_it_loses_and_the_other_gateway_carries_on()
    {
        Liar.Lies = static core =>
        {
            foreach (var relayed in core.Passing)
                relayed.AsSpan(RelayedHeader.Bytes).Clear();
        };
        Boast();
        _cluster.Run(10);
        Boast();
        Exchange(0, 100);
        Assert.Equal(100, _cluster[4].Got.Count);
        Assert.Equal(_cluster[2].Id, _cluster[1].Core.Views().Single(peer => peer.Id == _cluster[4].Id).Path!.Via);
    }

    [Fact]
    public void Any_relayed_bytes_are_taken_without_harm()
    {
        _cluster.Run(10);
        Exchange(0, 10);
        var handles = _cluster.Nodes.Select(node => NodeHandle.Of(node.Id)).ToArray();
        for (var i = 0; i < 5000; i++)
        {
            var relayed = new byte[_random.Next(1, 120)];
            _random.NextBytes(relayed);
            if (relayed.Length > RelayedHeader.Bytes)
            {
                new RelayedHeader((byte)_random.Next(256), handles[_random.Next(4)], handles[_random.Next(4)]).Write(relayed);
                relayed[RelayedHeader.Bytes] = (byte)_random.Next(10);
            }
            Inject(relayed, _cluster[_random.Next(2) == 0 ? 1 : 2]);
            if (i % 100 == 0)
                _cluster.Run(1);
        }
        _cluster.Run(30);
        Exchange(10, 10);
        _cluster.Run(5);
        Assert.Equal(20, _cluster[4].Got.Count);
        Assert.Equal(20, _cluster[1].Got.Count);
    }

    [Fact]
    public void Who_floods_a_relay_takes_half_of_what_it_carries_and_the_others_get_through()
    {
        _cluster.Run(10);
        Exchange(0, 10);
        var flood = new byte[1000];
        new RelayedHeader(8, NodeHandle.Of(_cluster[4].Id), NodeHandle.Of(_cluster[1].Id)).Write(flood);
        flood[RelayedHeader.Bytes] = (byte)PacketType.Frames;
        for (var i = 0; i < 100; i++)
        {
            for (var n = 0; n < 300; n++)
                Inject(flood, _cluster[2]);
            Exchange(10 + i, 1);
        }
        _cluster.Run(5);
        Assert.True(_cluster[2].Core.Counts.Crowded > 0);
        Assert.Equal(Enumerable.Range(0, 110).Select(i => $"{i}"), _cluster[4].Got.Select(message => message.Text));
    }

    private void Exchange(int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            _cluster[1].Send(_cluster[4], $"{i}");
            _cluster[4].Send(_cluster[1], $"{i}");
            _cluster.Run(0.1);
        }
    }

    /// <summary>The liar seals it with its keys as any relay does.</summary>
    private void Inject(byte[] relayed, Cluster.Node to)
    {
        var keys = Liar.Core.Peers.Single(peer => peer.Id == to.Id).SendingKeys!;
        var datagram = new byte[1232];
        var length = keys.Packets.Seal((byte)PacketType.Relayed, keys.PeerIndex, relayed, datagram);
        _cluster.Transmit(Liar, to == _cluster[4] ? _in : _wan, to, datagram[..length]);
    }

    private void Boast()
    {
        foreach (var to in Liar.Core.Peers.Where(static peer => peer.IsMet).ToList())
        {
            var (message, length) = (new byte[1024], 0);
            foreach (var node in _cluster.Nodes.Where(node => node.Id != to.Id))
                length += RouteEntry.Write(message.AsSpan(length), 0, node.Id, new Route(1, 0, LinkKind.Ethernet, []) { IsDirect = true }, 0, LinkKind.Ethernet);
            for (var i = 0; i < 20; i++)
                length += RouteEntry.Write(message.AsSpan(length), 0, NodeId.Parse($"ghost-{i}/02:00:00:00:01:01"), new Route(1, 0, LinkKind.Ethernet, []) { IsDirect = true }, 0, LinkKind.Ethernet);
            to.Session.TrySend(OverlayCore.RoutesLane, message.AsMemory(0, length), -1);
        }
    }
}
