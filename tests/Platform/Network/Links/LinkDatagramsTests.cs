using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Platform.Network.Links;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>Against this machine's kernel: two nodes are two network namespaces, their links real pairs of interfaces.</summary>
public sealed class LinkDatagramsTests
{
    [NamespaceFact]
    public async Task A_datagram_comes_with_its_link_and_its_sender()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "fe80::{0}/64", "10.9.0.{0}/24");
        Assert.True(one.Send("cable0", "fe80::2", "by link-local"));
        var came = await two.NextAsync();
        Assert.Equal(("cable0", "by link-local"), (came.Link, came.Text));
        Assert.Equal(new IPEndPoint(new IPAddress(IPAddress.Parse("fe80::1").GetAddressBytes(), two.IndexOf("cable0")), DatagramNode.Port), came.From);
        Assert.True(one.Send("cable0", "10.9.0.2", "by IPv4"));
        Assert.Equal(new Arrival("cable0", new IPEndPoint(IPAddress.Parse("10.9.0.1"), DatagramNode.Port), "by IPv4"), await two.NextAsync());
        Assert.True(two.Datagrams.Send(two.IndexOf("cable0"), came.From, "an answer"u8));
        Assert.Equal("an answer", (await one.NextAsync()).Text);
    }

    [NamespaceFact]
    public async Task The_link_is_the_sender_s_choice_and_not_the_routing_table_s()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "10.9.0.{0}/24", "fe80::{0}/64");
        await DatagramNode.ConnectAsync(one, two, "cable1", "10.9.0.3{0}/24", "fe80::{0}/64");
        foreach (var link in new[] { "cable0", "cable1" })
        {
            Assert.True(one.Send(link, "10.9.0.2", "IPv4"));
            Assert.Equal((link, "IPv4"), await two.NextAsync() is var four ? (four.Link, four.Text) : default);
            Assert.True(one.Send(link, "fe80::2", "IPv6"));
            Assert.Equal((link, "IPv6"), await two.NextAsync() is var six ? (six.Link, six.Text) : default);
        }
        Assert.True(one.Send("", "10.9.0.32", "whichever"));
        Assert.Equal("whichever", (await two.NextAsync()).Text);
        Assert.False(two.WasCalledTwiceAtOnce);
    }

    [NamespaceFact]
    public async Task Neighbours_of_the_link_hear_a_call_and_nobody_else_does()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "six0", "fe80::{0}/64");
        await DatagramNode.ConnectAsync(one, two, "four0", "10.9.0.{0}/24");
        await DatagramNode.ConnectAsync(one, two, "both0", "fe80::{0}/64", "10.9.1.{0}/24");
        foreach (var link in new[] { "six0", "four0", "both0" })
        {
            Assert.True(one.SendToNeighbours(link, "anybody?"));
            var came = await two.NextAsync();
            Assert.Equal((link, "anybody?"), (came.Link, came.Text));
            Assert.Equal(link == "four0" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, came.From.AddressFamily);
        }
        Assert.False(one.Datagrams.SendToNeighbours(0, "nobody"u8));
        // Neither did a second copy come, nor does the caller hear itself: the next is the next.
        Assert.True(two.Send("six0", "fe80::1", "first"));
        Assert.Equal("first", (await one.NextAsync()).Text);
        Assert.True(one.Send("six0", "fe80::2", "last"));
        Assert.Equal("last", (await two.NextAsync()).Text);
    }

    [NamespaceFact]
    public async Task A_link_that_goes_and_comes_back_as_another_is_served_again()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        var before = 0;
        for (var round = 0; round < 3; round++)
        {
            await DatagramNode.ConnectAsync(one, two, "cable0", "fe80::{0}/64");
            Assert.NotEqual(before, one.IndexOf("cable0"));
            before = one.IndexOf("cable0");
            Assert.True(one.SendToNeighbours("cable0", "here"));
            Assert.Equal("here", (await two.NextAsync()).Text);
            one.Namespace.Ip("link del cable0");
            one.Tell([]);
            two.Tell([]);
            Assert.False(one.Datagrams.Send(before, new IPEndPoint(IPAddress.Parse("fe80::2"), DatagramNode.Port), "gone"u8));
            Assert.False(one.Datagrams.SendToNeighbours(before, "gone"u8));
        }
    }

    [NamespaceFact]
    public async Task A_link_that_vanishes_before_it_is_told_costs_a_datagram_and_no_more()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "fe80::{0}/64");
        await DatagramNode.ConnectAsync(one, two, "cable1", "fe80::{0}/64");
        one.Namespace.Ip("link del cable0");
        Assert.False(one.Send("cable0", "fe80::2", "gone"));
        Assert.False(one.SendToNeighbours("cable0", "gone"));
        one.Tell(one.Links);
        Assert.True(two.Send("cable1", "fe80::1", "on"));
        Assert.Equal("on", (await one.NextAsync()).Text);
        Assert.Empty(one.Log.Lines);
    }

    [NamespaceFact]
    public async Task A_link_that_cannot_be_served_is_told_of_once_and_tried_again()
    {
        await using var one = new DatagramNode();
        var phantom = new KernelLink("phantom0", 4711, LinkKind.Ethernet, false, true, true, [new LinkAddress(IPAddress.Parse("10.9.0.1"), 24, AddressScope.Global)], []);
        one.Datagrams.LinksAre([phantom]);
        one.Datagrams.LinksAre([phantom]);
        Assert.Contains("phantom0", Assert.Single(one.Log.Lines), StringComparison.Ordinal);
        Assert.False(one.Datagrams.Send(4711, new IPEndPoint(IPAddress.Parse("10.9.0.2"), 9), "x"u8));
    }

    [NamespaceFact]
    public async Task A_link_of_one_family_gets_the_other_later()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "10.9.0.{0}/24");
        Assert.True(one.SendToNeighbours("cable0", "by IPv4"));
        Assert.Equal(AddressFamily.InterNetwork, (await two.NextAsync()).From.AddressFamily);
        await one.AddAsync("cable0", 1, "fe80::{0}/64");
        await two.AddAsync("cable0", 2, "fe80::{0}/64");
        Assert.True(one.SendToNeighbours("cable0", "by IPv6"));
        Assert.Equal(AddressFamily.InterNetworkV6, (await two.NextAsync()).From.AddressFamily);
    }

    [NamespaceFact]
    public async Task Nobody_who_listens_does_not_end_receiving()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "fe80::{0}/64", "10.9.0.{0}/24");
        for (var i = 0; i < 10; i++)
        {
            Assert.True(one.Send("cable0", "fe80::2", "nobody there", 9));
            Assert.True(one.Send("cable0", "10.9.0.2", "nobody there", 9));
            Assert.True(one.Send("", "127.0.0.1", "nobody there", 9));
        }
        Assert.False(one.Send("cable0", "2001:db8::1", "no route"));
        Assert.False(one.Send("", "2001:db8::1", "no route"));
        Assert.True(two.Send("cable0", "fe80::1", "on"));
        Assert.Equal("on", (await one.NextAsync()).Text);
    }

    [NamespaceFact]
    public async Task A_datagram_that_is_too_long_is_left_out()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "10.9.0.{0}/24");
        var to = new IPEndPoint(IPAddress.Parse("10.9.0.2"), DatagramNode.Port);
        one.Namespace.Do(() =>
        {
            using var other = new UdpClient();
            other.Send(new byte[ILinkDatagrams.DatagramBytesMax + 1], to);
            other.Send(new byte[60000], to);
        });
        Assert.True(one.Datagrams.Send(one.IndexOf("cable0"), to, new byte[ILinkDatagrams.DatagramBytesMax]));
        Assert.Equal(ILinkDatagrams.DatagramBytesMax, (await two.NextAsync()).Text.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => one.Datagrams.Send(0, to, new byte[ILinkDatagrams.DatagramBytesMax + 1]));
    }

    [NamespaceFact]
    public async Task A_kernel_that_binds_to_no_interface_leaves_link_local_addresses_and_routes()
    {
        static void Refuse(Socket socket, int index) => throw new SocketException((int)SocketError.AccessDenied);
        await using var old = new DatagramNode(Refuse);
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(old, two, "cable0", "fe80::{0}/64", "10.9.0.{0}/24");
        await DatagramNode.ConnectAsync(old, two, "cable1", "fe80::{0}/64", "10.9.1.{0}/24");
        Assert.Contains("does not bind", Assert.Single(old.Log.Lines), StringComparison.Ordinal);
        foreach (var link in new[] { "cable0", "cable1" })
        {
            Assert.True(old.Send(link, $"fe80::2%{old.IndexOf(link)}", "by its scope"));
            var came = await two.NextAsync();
            Assert.Equal(link, came.Link);
            Assert.True(two.Datagrams.Send(two.IndexOf(link), came.From, "back"u8));
            Assert.Equal(link, (await old.NextAsync()).Link);
        }
        Assert.False(old.Send("cable1", "10.9.1.2", "not by the link"));
        Assert.False(old.SendToNeighbours("cable1", "not by the link"));
        Assert.True(old.Send("", "10.9.1.2", "by the routing table"));
        Assert.Equal("cable1", (await two.NextAsync()).Link);
    }

    [NamespaceFact]
    public async Task A_second_node_of_the_machine_is_told_that_the_port_is_in_use()
    {
        await using var one = new DatagramNode();
        one.Namespace.Do(() => Assert.Throws<LinkException>(() => new LinkDatagrams(DatagramNode.Port, NullLogger.Instance)));
    }

    [NamespaceFact]
    public async Task Telling_the_same_links_again_costs_nothing()
    {
        await using var one = new DatagramNode();
        await using var two = new DatagramNode();
        await DatagramNode.ConnectAsync(one, two, "cable0", "fe80::{0}/64");
        var same = one.Links;
        one.Datagrams.LinksAre(same);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            one.Datagrams.LinksAre(same);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
