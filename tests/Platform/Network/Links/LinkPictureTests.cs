using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Platform.Network.Links;

namespace EdgeFirmware.Platform.Tests.Network.Links;

public sealed class LinkPictureTests
{
    private const byte V4 = 2, V6 = 10;
    private const uint Running = 0x10041, NoCarrier = 0x1;

    private static readonly byte[] Own = [10, 0, 0, 2], Gateway = [10, 0, 0, 1];
    private static readonly byte[] LinkLocal = IPAddress.Parse("fe80::1").GetAddressBytes();

    private readonly LinkPicture _picture = new(name => name switch
    {
        "wlan0" => new LinkNature("wlan", true),
        "wwan0" => new LinkNature("wwan", false),
        "bt0" => new LinkNature("bluetooth", false),
        _ => default,
    });

    [Fact]
    public void A_link_has_its_addresses_and_default_routes_the_best_first()
    {
        Take(RouteMessage.Link(2, "eth0", Running));
        Take(RouteMessage.Address(2, V4, Own, 24));
        Take(RouteMessage.Address(2, V6, LinkLocal, 64, scope: 253));
        Take(RouteMessage.Route(V4, 2, [10, 0, 0, 9], metric: 200));
        Take(RouteMessage.Route(V4, 2, Gateway, metric: 100));
        Take(RouteMessage.Route(V6, 2, LinkLocal, metric: 1024));

        var link = Assert.Single(_picture.Build());
        Assert.Equal(("eth0", 2, LinkKind.Ethernet, false, true, true), (link.Name, link.Index, link.Kind, link.IsVirtual, link.IsUp, link.HasCarrier));
        Assert.Equal(
            [new LinkAddress(IPAddress.Parse("10.0.0.2"), 24, AddressScope.Global), new LinkAddress(IPAddress.Parse("fe80::1%2"), 64, AddressScope.Link)], link.Addresses);
        Assert.Equal(
            [
                new DefaultRoute(AddressFamily.InterNetwork, IPAddress.Parse("10.0.0.1"), 100),
                new DefaultRoute(AddressFamily.InterNetwork, IPAddress.Parse("10.0.0.9"), 200),
                new DefaultRoute(AddressFamily.InterNetworkV6, IPAddress.Parse("fe80::1%2"), 1024),
            ], link.Routes);
    }

    [Theory]
    [InlineData("eth0", 1, "", LinkKind.Ethernet, false)]
    [InlineData("veth1", 1, "veth", LinkKind.Ethernet, true)]
    [InlineData("br0", 1, "bridge", LinkKind.Ethernet, true)]
    [InlineData("wlan0", 1, "", LinkKind.Wifi, false)]
    [InlineData("wwan0", 1, "", LinkKind.Cellular, false)]
    [InlineData("ppp0", 512, "ppp", LinkKind.Cellular, false)]
    [InlineData("rmnet0", 519, "", LinkKind.Cellular, false)]
    [InlineData("lowpan0", 825, "lowpan", LinkKind.SixLowpan, false)]
    [InlineData("bt0", 825, "", LinkKind.Other, false)]
    [InlineData("wg0", 65534, "wireguard", LinkKind.Other, true)]
    public void A_link_is_of_its_kind(string name, int hardware, string driver, LinkKind kind, bool isVirtual)
    {
        Take(RouteMessage.Link(3, name, Running, (ushort)hardware, driver));
        var link = Assert.Single(_picture.Build());
        Assert.Equal((kind, isVirtual), (link.Kind, link.IsVirtual));
    }

    [Fact]
    public void Loopback_and_radios_below_6LoWPAN_and_ports_of_bridges_are_left_out()
    {
        Take(RouteMessage.Link(1, "lo", Running, hardware: 772));
        Take(RouteMessage.Link(2, "wpan0", Running, hardware: 804));
        Take(RouteMessage.Link(3, "eth0", Running, master: 4));
        Take(RouteMessage.Link(4, "br0", Running, driver: "bridge"));
        Assert.Equal(["br0"], _picture.Build().Select(link => link.Name));
    }

    [Theory]
    [InlineData(0x10041u, true, true)]
    [InlineData(0x1u, true, false)]
    [InlineData(0x10001u, true, false)]
    [InlineData(0x0u, false, false)]
    public void Flags_tell_whether_it_is_on_and_the_other_end_there(uint flags, bool isUp, bool hasCarrier)
    {
        Take(RouteMessage.Link(2, "eth0", flags));
        var link = Assert.Single(_picture.Build());
        Assert.Equal((isUp, hasCarrier), (link.IsUp, link.HasCarrier));
    }

    [Fact]
    public void On_a_point_to_point_link_the_own_end_is_the_address() 
    {
        Take(RouteMessage.Link(2, "ppp0", Running, 512));
        Take(RouteMessage.Address(2, V4, [10, 9, 9, 9], 32, local: Own));
        Take(RouteMessage.Route(V4, 2, null));
        var link = Assert.Single(_picture.Build());
        Assert.Equal("10.0.0.2", Assert.Single(link.Addresses).Address.ToString());
        Assert.Equal(new DefaultRoute(AddressFamily.InterNetwork, null, 0), Assert.Single(link.Routes));
    }

    [Fact]
    public void Addresses_that_cannot_be_used_are_not_there()
    {
        Take(RouteMessage.Link(2, "eth0", Running));
        Take(RouteMessage.Address(2, V6, LinkLocal, 64, scope: 253, flags: 0x40));
        Take(RouteMessage.Address(2, V6, LinkLocal, 64, scope: 253, flags: 0x08));
        Take(RouteMessage.Address(2, V4, Own, 33));
        Take(RouteMessage.Address(2, V4, LinkLocal, 24));
        Take(RouteMessage.Address(2, V4, [127, 0, 0, 1], 8, scope: 254));
        Take(RouteMessage.Address(7, V4, Own, 24));
        Assert.Empty(Assert.Single(_picture.Build()).Addresses);
    }

    [Fact]
    public void Only_default_routes_of_the_main_table_count()
    {
        Take(RouteMessage.Link(2, "eth0", Running));
        Take(RouteMessage.Route(V4, 2, Gateway, destinationBits: 24));
        Take(RouteMessage.Route(V4, 2, Gateway, table: 100));
        Take(RouteMessage.Route(V4, 2, Gateway, table: 1000));
        Take(RouteMessage.Route(V4, 2, Gateway, type: 7));
        Take(RouteMessage.Route(V4, 2, Gateway, flags: 1));
        Take(RouteMessage.Route(V4, 9, Gateway));
        Assert.Empty(Assert.Single(_picture.Build()).Routes);
    }

    [Fact]
    public void Every_hop_of_a_route_over_several_links_counts_for_its_link()
    {
        Take(RouteMessage.Link(2, "eth0", Running));
        Take(RouteMessage.Link(3, "eth1", Running));
        byte[] Hop(int index, byte flags, byte[] gateway)
        {
            var attribute = RouteMessage.Attribute(5, gateway);
            return [.. BitConverter.GetBytes((ushort)(8 + attribute.Length)), flags, 0, .. BitConverter.GetBytes(index), .. attribute];
        }
        Take(RouteMessage.Route(V4, 0, null).With(9, [.. Hop(2, 0, Gateway), .. Hop(3, 0, [10, 0, 1, 1]), .. Hop(3, 1, [10, 0, 1, 9])]));
        Assert.Equal(["10.0.0.1", "10.0.1.1"], _picture.Build().Select(link => Assert.Single(link.Routes).Gateway!.ToString()));
    }

    [Fact]
    public void A_gateway_may_be_of_the_other_family()
    {
        Take(RouteMessage.Link(2, "eth0", Running));
        Take(RouteMessage.Route(V4, 2, null).With(18, [10, 0, .. LinkLocal]));
        Assert.Equal("fe80::1%2", Assert.Single(Assert.Single(_picture.Build()).Routes).Gateway!.ToString());
    }

    [Fact]
    public void A_picture_holds_no_more_than_it_may()
    {
        for (var index = 1; index <= 200; index++)
            Take(RouteMessage.Link(index, $"l{index}", Running));
        for (byte i = 1; i < 100; i++)
        {
            Take(RouteMessage.Address(1, V4, [10, 0, 0, i], 24));
            Take(RouteMessage.Route(V4, 1, [10, 0, 1, i]));
        }
        var links = _picture.Build();
        Assert.Equal((KernelLink.LinksMax, KernelLink.AddressesMax, KernelLink.RoutesMax), (links.Count, links[0].Addresses.Count, links[0].Routes.Count));
    }

    [Fact]
    public void The_gateway_and_others_are_there_as_the_neighbour_table_says()
    {
        var picture = new NeighbourPicture(2, new IPAddress(Gateway));
        picture.Take(RouteMessage.Neighbour(V4, 2, Gateway, 0x20).Payload);
        picture.Take(RouteMessage.Neighbour(V4, 3, Gateway, 0x02).Payload);
        picture.Take(RouteMessage.Neighbour(V4, 2, [10, 0, 0, 7], 0x04).Payload);
        picture.Take(RouteMessage.Neighbour(V4, 2, [224, 0, 0, 1], 0x40).Payload);
        Assert.Equal((false, false), (picture.GatewayIsThere, picture.OthersAreThere));
        picture.Take(RouteMessage.Neighbour(V4, 2, [10, 0, 0, 7], 0x02).Payload);
        picture.Take(RouteMessage.Neighbour(V4, 2, Gateway, 0x08).Payload);
        Assert.Equal((true, true), (picture.GatewayIsThere, picture.OthersAreThere));
    }

    [Fact]
    public void A_dump_ends_with_its_end_and_keeps_to_its_own_answers()
    {
        var taken = new List<ushort>();
        byte[] datagram = [.. RouteMessage.Link(2, "eth0", NoCarrier, sequence: 7).Bytes(), .. RouteMessage.Link(3, "eth1", NoCarrier, sequence: 6).Bytes(), .. new RouteMessage(3, new byte[4], 7).Bytes()];
        var progress = RouteSocket.Take(datagram, 7, (type, _) => taken.Add(type), default);
        Assert.Equal([16], taken);
        Assert.Equal(new DumpProgress(true, false, 0), progress);
    }

    [Theory]
    [InlineData(-16, 16)]
    [InlineData(0, -1)]
    public void A_refusal_ends_a_dump_with_its_number(int code, int fault)
    {
        var progress = RouteSocket.Take(new RouteMessage(2, [.. BitConverter.GetBytes(code), .. new byte[16]]).Bytes(), 1, (_, _) => Assert.Fail("nothing to take"), default);
        Assert.Equal(new DumpProgress(true, false, fault), progress);
    }

    [Fact]
    public void A_dump_that_was_interrupted_or_cut_off_is_torn()
    {
        var interrupted = RouteSocket.Take(new RouteMessage(3, new byte[4], 1, flags: 0x12).Bytes(), 1, (_, _) => { }, default);
        Assert.Equal(new DumpProgress(true, true, 0), interrupted);
        var cutOff = RouteSocket.Take(RouteMessage.Link(2, "eth0", Running).Bytes().AsSpan(0, 30), 1, (_, _) => Assert.Fail("not whole"), default);
        Assert.Equal(new DumpProgress(false, true, 0), cutOff);
    }

    /// <summary>EDGE_FUZZ_SEED gives another seed.</summary>
    [Fact]
    public void Damaged_datagrams_are_read_as_far_as_they_go_and_never_beyond()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("EDGE_FUZZ_SEED"), out var given) ? given : 20261121;
        var random = new Random(seed);
        byte[] whole =
        [
            .. RouteMessage.Link(2, "eth0", Running, driver: "veth").Bytes(), .. RouteMessage.Address(2, V4, Own, 24, local: Own).Bytes(),
            .. RouteMessage.Address(2, V6, LinkLocal, 64, 253).Bytes(), .. RouteMessage.Route(V4, 2, Gateway, 100).Bytes(),
            .. RouteMessage.Route(V4, 0, null).With(9, [20, 0, 0, 0, 2, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1, 0, 0, 0, 0]).Bytes(),
            .. RouteMessage.Route(V6, 2, null).With(18, [10, 0, .. LinkLocal]).Bytes(), .. RouteMessage.Neighbour(V4, 2, Gateway, 2).Bytes(),
        ];
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = whole.AsSpan(0, random.Next(4) == 0 ? random.Next(whole.Length + 1) : whole.Length).ToArray();
            for (var damage = random.Next(1, 6); damage > 0 && bytes.Length > 0; damage--)
                bytes[random.Next(bytes.Length)] = random.Next(3) switch { 0 => 0, 1 => 255, _ => (byte)random.Next(256) };
            try
            {
                var picture = new LinkPicture(_ => default);
                var neighbours = new NeighbourPicture(2, new IPAddress(Gateway));
                RouteSocket.Take(bytes, 1, (type, payload) =>
                {
                    picture.Take(type, payload);
                    neighbours.Take(payload);
                }, default);
                foreach (var link in picture.Build())
                    Assert.InRange(link.Name.Length, 1, 15);
            }
            catch (Exception error) when (error is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"seed {seed}, datagram {i} ({Convert.ToHexString(bytes)}): {error}");
            }
        }
    }

    private void Take(RouteMessage message)
    {
        var reader = new NetlinkReader(message.Bytes());
        Assert.True(reader.Read());
        _picture.Take(reader.Type, reader.Payload);
        Assert.False(reader.Read());
        Assert.False(reader.IsCutOff);
    }
}
