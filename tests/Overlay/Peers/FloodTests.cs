using System.Net;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Tests.Sealing;

namespace EdgeFirmware.Overlay.Tests.Peers;

/// <summary>Somebody without keys says whatever he likes, from whatever address.</summary>
public sealed class FloodTests : IDisposable
{
    private readonly SmallSite _site = new();
    private readonly Medium _wan = new("wan0", 1, LinkKind.Ethernet);
    private readonly Cluster _cluster;

    public FloodTests() => _cluster = new Cluster(1, node => _site.Join(node, ECCurve.NamedCurves.nistP256), 2, _wan);

    public void Dispose()
    {
        _cluster.Dispose();
        _site.Dispose();
    }

    [Fact]
    public void Nodes_that_are_not_there_keep_no_true_one_out()
    {
        _wan.Deaf.Add((2, 1));
        for (var i = 0; i < 3000; i++)
            Say(From(i), Here($"ghost-{i}/02:00:00:00:01:01"));
        Assert.InRange(_cluster[1].Core.Peers.Count(), 1, OverlayCore.HeardOnlyMax);
        _wan.Deaf.Clear();
        _cluster[1].Meet(_cluster[2]);
        _cluster[1].Send(_cluster[2], "hello");
        _cluster.Run(1);
        Assert.Single(_cluster[2].Got);
    }

    [Fact]
    public void A_node_is_not_made_to_say_that_it_is_here_without_end()
    {
        _cluster.Run(5);
        _wan.Sent.Clear();
        for (var i = 0; i < 1000; i++)
        {
            Say(From(i), Here($"ghost-{i}/02:00:00:00:01:01"));
            _cluster.Run(0.005);
        }
        Assert.InRange(_wan.Sent.Count, 1, 8);
    }

    [Fact]
    public void Addresses_that_somebody_invents_for_a_node_do_not_take_the_place_of_the_one_where_it_was_met()
    {
        _cluster.Run(1);
        _cluster[1].Send(_cluster[2], "one");
        _cluster.Run(1);
        for (var i = 0; i < 100; i++)
            Say(From(i), Here(_cluster[2].Id.Value));
        Assert.Contains(_cluster[1].Core.Peers.Single().Remotes, remote => remote.Address.Equals(_wan.AddressOf(2)));
        _cluster.Run(300); // both sleep
        _cluster[1].Send(_cluster[2], "two");
        _cluster.Run(1);
        Assert.Equal(2, _cluster[2].Got.Count);
    }

    [Fact]
    public void Who_begins_handshakes_without_end_keeps_nobody_out_who_is_known_to_be_there()
    {
        _cluster.Run(1);
        for (var i = 0; i < 300; i++)
            using (var key = new EphemeralKey())
                Say(From(i), HandshakeLayout.MakeFirst((ushort)i, key.Point));
        Assert.True(_cluster[1].Core.Counts.Limited > 0);
        _cluster[2].Send(_cluster[1], "hello");
        _cluster.Run(1);
        Assert.Single(_cluster[1].Got);
    }

    [Fact]
    public void One_first_datagram_said_again_and_again_is_answered_a_few_times()
    {
        _cluster.Run(1);
        using var key = new EphemeralKey();
        var first = HandshakeLayout.MakeFirst(7, key.Point);
        _wan.Sent.Clear();
        for (var i = 0; i < 500; i++)
            Say(_wan.AddressOf(2), first);
        _cluster.Run(1);
        Assert.InRange(_wan.Sent.Count(datagram => datagram[0] == (byte)PacketType.Second), 1, 16);
    }

    private void Say(IPEndPoint from, byte[] datagram) => _cluster[1].Core.Handle(_wan.Index, from, datagram, _cluster.Now);

    private static IPEndPoint From(int number) => new(IPAddress.Parse($"192.0.{number / 200}.{number % 200}"), 61616);

    private static byte[] Here(string node) => [(byte)PacketType.Here, .. Encoding.ASCII.GetBytes(node)];
}
