using System.Net;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Mesh.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Wire;

public sealed class GossipPortTests
{
    private static readonly IPEndPoint Somewhere = new(IPAddress.Loopback, 7900);

    [Fact]
    public void What_is_sent_arrives()
    {
        using var socket = new RecordingSocket();
        using var port = new GossipPort(socket, [], new byte[DatagramSeal.KeyBytes], NullLogger.Instance);
        using var receiver = new GossipPort(new RecordingSocket(), [], new byte[DatagramSeal.KeyBytes], NullLogger.Instance);
        foreach (var message in GossipSamples.All())
            GossipSamples.AssertSame(message, receiver.Open(Resend(port, socket, message), Somewhere));
        Assert.Equal(socket.Sent.Count, receiver.Counts.Genuine);
    }

    [Fact]
    public void What_is_dropped_is_counted_by_reason()
    {
        using var socket = new RecordingSocket();
        using var port = new GossipPort(socket, [], new byte[DatagramSeal.KeyBytes], NullLogger.Instance);
        using var receiver = new GossipPort(new RecordingSocket(), [], new byte[DatagramSeal.KeyBytes], NullLogger.Instance);
        var datagram = Resend(port, socket, new Gossip(GossipSamples.TagOf(1)));
        Assert.NotNull(receiver.Open(datagram, Somewhere));
        Assert.Null(receiver.Open(datagram, Somewhere));
        datagram[^1] ^= 1;
        Assert.Null(receiver.Open(datagram, Somewhere));
        Assert.Null(receiver.Open([1, 2, 3], Somewhere));
        Assert.Equal(new DatagramCounts(1, 1, 1, 1, 0), receiver.Counts);
    }

    private static byte[] Resend(GossipPort port, RecordingSocket socket, GossipMessage message)
    {
        port.Send(new Outgoing(message, Somewhere));
        return socket.Sent[^1];
    }

    private sealed class RecordingSocket : IDatagramSocket
    {
        public List<byte[]> Sent { get; } = [];

        public IPEndPoint LocalEndpoint => Somewhere;

        public Action<IPEndPoint>? Refused { get; set; }

        public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to) => Sent.Add(datagram.ToArray());

        public ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel) =>
            throw new NotSupportedException("it only sends");

        public void Dispose()
        {
        }
    }
}
