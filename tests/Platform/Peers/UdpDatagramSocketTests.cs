using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Peers;

public sealed class UdpDatagramSocketTests : IDisposable
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(15));

    public void Dispose() => _limit.Dispose();

    [Fact]
    public async Task A_datagram_arrives_with_its_sender()
    {
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        using var two = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        one.Send("hello"u8, two.LocalEndpoint);
        var buffer = new byte[100];
        var (length, from) = await two.ReceiveAsync(buffer, _limit.Token);
        Assert.Equal("hello", Encoding.ASCII.GetString(buffer, 0, length));
        Assert.Equal(one.LocalEndpoint, from);
        Assert.Empty(one.Groups); // several nodes of one machine find each other by seeds
    }

    [Fact]
    public async Task Sending_where_nobody_listens_is_a_lost_datagram()
    {
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        using var two = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        using var gone = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        var nowhere = gone.LocalEndpoint;
        gone.Dispose();
        for (var i = 0; i < 10; i++)
            one.Send("x"u8, nowhere);
        one.Send("x"u8, new IPEndPoint(IPAddress.Parse("240.0.0.1"), 9));
        two.Send("y"u8, one.LocalEndpoint);
        var (length, _) = await one.ReceiveAsync(new byte[10], _limit.Token);
        Assert.Equal(1, length);
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_cancelled()
    {
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        using var stopping = new CancellationTokenSource();
        var waiting = one.ReceiveAsync(new byte[10], stopping.Token).AsTask();
        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public void It_binds_to_an_address_that_is_not_up_yet_and_not_to_one_in_use()
    {
        using var early = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Parse("198.51.100.77"), 0), NullLogger.Instance);
        early.Send("anybody?"u8, Assert.Single(early.Groups));
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        Assert.Throws<SocketException>(() => UdpDatagramSocket.Bind(one.LocalEndpoint, NullLogger.Instance).Dispose());
    }

    [MulticastFact]
    public async Task A_node_on_a_real_link_hears_its_group()
    {
        using var node = UdpDatagramSocket.Bind(new IPEndPoint(MulticastFactAttribute.Address!, 0), NullLogger.Instance);
        var group = Assert.Single(node.Groups);
        node.Send("anybody?"u8, group); // looped back to members of the same machine (ip(7), IP_MULTICAST_LOOP)
        var (length, from) = await node.ReceiveAsync(new byte[100], _limit.Token);
        Assert.Equal(8, length);
        Assert.Equal(node.LocalEndpoint, from);
        node.Send("me"u8, node.LocalEndpoint);
        Assert.Equal(2, (await node.ReceiveAsync(new byte[100], _limit.Token)).Length);
    }

    [MulticastFact]
    public async Task A_node_whose_address_comes_late_joins_its_group_then()
    {
        var late = IPAddress.Parse("198.51.100.78");
        using var node = UdpDatagramSocket.Bind(new IPEndPoint(late, 0), NullLogger.Instance);
        var receiving = node.ReceiveAsync(new byte[100], _limit.Token).AsTask();
        node.Send("anybody?"u8, Assert.Single(node.Groups));
        await DoAsync("ip", "address", "add", $"{late}/32", "dev", MulticastFactAttribute.Card!);
        try
        {
            node.Send("anybody?"u8, Assert.Single(node.Groups));
            var (length, from) = await receiving;
            Assert.Equal((8, node.LocalEndpoint), (length, from));
            node.Send("me"u8, node.LocalEndpoint);
            Assert.Equal(2, (await node.ReceiveAsync(new byte[100], _limit.Token)).Length);
        }
        finally
        {
            await DoAsync("ip", "address", "delete", $"{late}/32", "dev", MulticastFactAttribute.Card!);
        }
    }

    private static async Task DoAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class MulticastFactAttribute : FactAttribute
    {
        private static readonly (string Card, IPAddress Address) Found = NetworkInterface.GetAllNetworkInterfaces()
            .Where(card => card is { OperationalStatus: OperationalStatus.Up, SupportsMulticast: true, NetworkInterfaceType: not NetworkInterfaceType.Loopback })
            .SelectMany(card => card.GetIPProperties().UnicastAddresses.Select(own => (card.Name, own.Address)))
            .FirstOrDefault(own => own.Address.AddressFamily == AddressFamily.InterNetwork);

        public static IPAddress? Address => Found.Address;

        public static string? Card => Found.Card;

        public MulticastFactAttribute()
        {
            if (Address is null)
                Skip = "no interface but loopback is up";
        }
    }
}
