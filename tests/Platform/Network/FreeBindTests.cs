using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Platform.Network;
using EdgeFirmware.Platform.Tests.Peers;

namespace EdgeFirmware.Platform.Tests.Network;

public sealed class FreeBindTests
{
    [Theory]
    [InlineData("192.0.2.7")] // documentation only, RFC 5737 and RFC 3849: nobody has them
    [InlineData("2001:db8::7")]
    public void An_address_that_is_not_up_is_listened_on_and_told(string address)
    {
        var log = new RecordingLog();
        using var listener = FreeBind.Listen(new IPEndPoint(IPAddress.Parse(address), 0), 1, log);
        var bound = (IPEndPoint)listener.LocalEndPoint!;
        Assert.Equal(address, bound.Address.ToString());
        Assert.NotEqual(0, bound.Port);
        Assert.Contains("is no address of this node yet", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_up_is_nothing_to_talk_of_and_one_in_use_is_refused()
    {
        var log = new RecordingLog();
        using var listener = FreeBind.Listen(new IPEndPoint(IPAddress.Loopback, 0), 1, log);
        var error = Assert.Throws<SocketException>(() => FreeBind.Listen(listener.LocalEndPoint!, 1, log));
        Assert.Equal(SocketError.AddressAlreadyInUse, error.SocketErrorCode);
        Assert.Empty(log.Lines);
    }

    [Fact]
    public async Task All_of_IPv6_is_all_of_IPv4_too()
    {
        using var listener = FreeBind.Listen(new IPEndPoint(IPAddress.IPv6Any, 0), 1, new RecordingLog());
        using var caller = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await caller.ConnectAsync(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint!).Port).WaitAsync(TimeSpan.FromSeconds(15));
    }
}
