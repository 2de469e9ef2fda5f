using System.Net;
using EdgeFirmware.Platform.Peers;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Peers;

/// <summary>With the real kernel, which answers for ports that nobody listens at.</summary>
public sealed class RefusedDestinationsTests : IDisposable
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(15));

    public void Dispose() => _limit.Dispose();

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task Who_sends_where_nobody_listens_is_told_where(string address)
    {
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Parse(address), 0), NullLogger.Instance);
        var nowhere = Gone(address);
        var told = new TaskCompletionSource<IPEndPoint>(TaskCreationOptions.RunContinuationsAsynchronously);
        one.Refused = where => told.TrySetResult(where);
        var receiving = one.ReceiveAsync(new byte[100], _limit.Token);
        one.Send("x"u8, nowhere);
        Assert.Equal(nowhere, await told.Task.WaitAsync(_limit.Token));
        await _limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await receiving);
    }

    [Fact]
    public async Task A_refusal_costs_the_next_datagram_nothing()
    {
        using var one = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        using var two = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Loopback, 0), NullLogger.Instance);
        var nowhere = Gone("127.0.0.1");
        var buffer = new byte[100];
        for (byte i = 0; i < 100; i++)
        {
            one.Send("x"u8, nowhere);
            one.Send([i], two.LocalEndpoint);
            await two.ReceiveAsync(buffer, _limit.Token);
            Assert.Equal(i, buffer[0]);
        }
    }

    private static IPEndPoint Gone(string address)
    {
        using var gone = UdpDatagramSocket.Bind(new IPEndPoint(IPAddress.Parse(address), 0), NullLogger.Instance);
        return gone.LocalEndpoint;
    }
}
