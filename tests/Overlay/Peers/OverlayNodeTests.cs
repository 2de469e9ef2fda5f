using System.Net;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Tests.Sealing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Overlay.Tests.Peers;

public sealed class OverlayNodeTests : IDisposable
{
    private readonly SmallSite _site = new();
    private readonly CancellationTokenSource _stopping = new(TimeSpan.FromSeconds(30));
    private readonly NodeId _left = NodeId.Parse("gate-1/02:00:00:00:00:01");
    private readonly NodeId _right = NodeId.Parse("gate-2/02:00:00:00:00:02");

    public void Dispose()
    {
        _stopping.Dispose();
        _site.Dispose();
    }

    [Fact]
    public async Task Who_waits_for_a_message_is_told_when_the_node_stops()
    {
        using var node = Node(_left, new Wire(1), _ => Task.CompletedTask);
        var running = node.RunAsync(_stopping.Token);
        var sending = node.SendAsync(_right, OverlayService.Echo, OverlayPriority.Bulk, new byte[9], CancellationToken.None);
        await node.ListAsync(_stopping.Token);
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAsync<PeerException>(() => sending);
        await Assert.ThrowsAsync<PeerException>(() => node.SendAsync(_right, OverlayService.Echo, OverlayPriority.Bulk, new byte[9], CancellationToken.None));
    }

    [Fact]
    public async Task A_message_whose_sender_has_gone_is_not_kept()
    {
        using var node = Node(_left, new Wire(1), _ => Task.CompletedTask);
        var running = node.RunAsync(_stopping.Token);
        using (var gone = new CancellationTokenSource())
        {
            var sending = node.SendAsync(_right, OverlayService.Echo, OverlayPriority.Bulk, new byte[9], gone.Token);
            Assert.Equal(1, Assert.Single(await node.ListAsync(_stopping.Token)).Waiting);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }
        Assert.Equal(0, Assert.Single(await node.ListAsync(_stopping.Token)).Waiting);
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_service_that_gives_up_by_itself_does_not_leave_the_node_deaf()
    {
        var (wire, other) = Wire.Between();
        using var left = Node(_left, wire, _ => Task.CompletedTask);
        using var right = Node(_right, other, _ => throw new OperationCanceledException("by itself"));
        var (runningLeft, runningRight) = (left.RunAsync(_stopping.Token), right.RunAsync(_stopping.Token));
        var sending = left.SendAsync(_right, OverlayService.Echo + 1, OverlayPriority.Bulk, new byte[9], CancellationToken.None);
        var ended = await Assert.ThrowsAnyAsync<Exception>(() => runningRight.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.IsNotType<TimeoutException>(ended);
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runningLeft);
        await Assert.ThrowsAsync<PeerException>(() => sending);
    }

    private OverlayNode Node(NodeId id, Wire wire, Func<OverlayService, Task> serve) => new(
        id, _site.Join(id, ECCurve.NamedCurves.nistP256), new OverlayOptions(), wire, _ => wire.Other, (_, service, _) => serve(service), _ => { }, TimeProvider.System,
        NullLogger.Instance);

    /// <summary>A cable in memory; the routing table leads into it.</summary>
    private sealed class Wire(int number) : ILinkDatagrams
    {
        private readonly TaskCompletionSource<LinkDatagramHandler> _came = new();
        private Wire? _to;

        public IPAddress Other => IPAddress.Parse($"10.0.0.{3 - number}");

        public static (Wire, Wire) Between()
        {
            var (left, right) = (new Wire(1), new Wire(2));
            (left._to, right._to) = (right, left);
            return (left, right);
        }

        public void LinksAre(IReadOnlyList<KernelLink> links)
        {
        }

        public bool Send(int link, IPEndPoint to, ReadOnlySpan<byte> datagram)
        {
            if (_to is not { } other || !other._came.Task.IsCompletedSuccessfully)
                return false;
            other._came.Task.Result(0, new IPEndPoint(other.Other, to.Port), datagram);
            return true;
        }

        public bool SendToNeighbours(int link, ReadOnlySpan<byte> datagram) => false;

        public async Task ReceiveAsync(LinkDatagramHandler came, CancellationToken cancel)
        {
            _came.TrySetResult(came);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        }

        public void Dispose()
        {
        }
    }
}
