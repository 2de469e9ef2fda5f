using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Platform.Network.Links;

namespace EdgeFirmware.Platform.Tests.Network.Links;

public sealed class EndpointBytesTests
{
    [Theory]
    [InlineData("10.1.2.3", 0, "10.1.2.3")]
    [InlineData("10.1.2.3", 7, "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", 7, "10.1.2.3")]
    [InlineData("2001:db8::1", 7, "2001:db8::1")]
    [InlineData("fe80::1%5", 0, "fe80::1%5")]
    [InlineData("fe80::1", 7, "fe80::1%7")]
    [InlineData("fe80::1%5", 7, "fe80::1%7")]
    [InlineData("ff12::ed9e:7900", 7, "ff12::ed9e:7900%7")]
    public void What_is_written_is_what_the_runtime_would_write_and_is_read_again(string address, int link, string wanted)
    {
        var endpoint = new IPEndPoint(IPAddress.Parse(wanted), 61616);
        var target = new SocketAddress(AddressFamily.InterNetworkV6);
        target.Buffer.Span[2..].Fill(0xee);
        Assert.True(EndpointBytes.TryWrite(target, new IPEndPoint(IPAddress.Parse(address), 61616), link));
        var mapped = endpoint.Address.AddressFamily == AddressFamily.InterNetwork ? new IPEndPoint(endpoint.Address.MapToIPv6(), 61616) : endpoint;
        Assert.Equal(mapped.Serialize(), target);
        Assert.Equal(endpoint, EndpointBytes.Read(target));
    }

    [Fact]
    public void Without_IPv6_only_IPv4_can_be_said()
    {
        var target = new SocketAddress(AddressFamily.InterNetwork);
        var four = new IPEndPoint(IPAddress.Parse("10.1.2.3"), 61616);
        Assert.True(EndpointBytes.TryWrite(target, four, 7));
        Assert.Equal(four, EndpointBytes.Read(target));
        Assert.True(EndpointBytes.TryWrite(target, new IPEndPoint(four.Address.MapToIPv6(), 61616), 7));
        Assert.Equal(four, EndpointBytes.Read(target));
        Assert.False(EndpointBytes.TryWrite(target, new IPEndPoint(IPAddress.IPv6Loopback, 61616), 7));
    }

    [Fact]
    public void A_sender_is_the_same_object_again_and_a_flood_of_them_is_forgotten()
    {
        var senders = new KnownSenders();
        var first = Address(1);
        var known = senders.Of(first);
        Assert.Equal(new IPEndPoint(IPAddress.Parse("10.0.0.1"), 1), known);
        Assert.Same(known, senders.Of(Address(1)));
        for (var port = 2; port < 3 * KnownSenders.SendersMax; port++)
        {
            EndpointBytes.TryWrite(first, new IPEndPoint(IPAddress.Parse("10.0.0.1"), port), 0);
            Assert.Equal(port, senders.Of(first).Port);
        }
        Assert.Equal(known, senders.Of(Address(1)));
    }

    private static SocketAddress Address(int port)
    {
        var address = new SocketAddress(AddressFamily.InterNetworkV6);
        EndpointBytes.TryWrite(address, new IPEndPoint(IPAddress.Parse("10.0.0.1"), port), 0);
        return address;
    }
}
