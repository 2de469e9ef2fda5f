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

    [Fact]
    public async Task Who_watches_the_links_is_told_of_one_that_carries_nothing_any_more()
    {
        var (wire, other) = Wire.Between();
        using var left = Node(_left, wire, _ => Task.CompletedTask);
        using var right = Node(_right, other, _ => Task.CompletedTask);
        var doubted = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        left.Doubts = link => doubted.TrySetResult(link);
        var (runningLeft, runningRight) = (left.RunAsync(_stopping.Token), right.RunAsync(_stopping.Token));
        left.LinksAre([wire.Link(1, LinkKind.Ethernet)]);
        right.LinksAre([other.Link(1, LinkKind.Ethernet)]);
        await EchoAsync(left);
        left.LinksAre([wire.Link(1, LinkKind.Ethernet), wire.Link(2, LinkKind.Cellular)]);
        right.LinksAre([other.Link(1, LinkKind.Ethernet), other.Link(2, LinkKind.Cellular)]);
        while (!(await left.ListAsync(_stopping.Token))[0].Paths.Any(static path => path is { Link: "link2", IsUsable: true }))
            await Task.Delay(5, _stopping.Token);
        wire.IsCut = other.IsCut = true;
        await EchoAsync(left);
        Assert.Equal(1, await doubted.Task.WaitAsync(_stopping.Token));
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runningLeft);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => runningRight);
    }

    private Task EchoAsync(OverlayNode from) => from.SendAsync(_right, OverlayService.Echo, OverlayPriority.Urgent, new byte[9], _stopping.Token);

    private OverlayNode Node(NodeId id, Wire wire, Func<OverlayService, Task> serve) => new(
        id, _site.Join(id, ECCurve.NamedCurves.nistP256), new OverlayOptions(), wire, _ => wire.Other, message => serve(message.Service), _ => { }, TimeProvider.System,
        NullLogger.Instance);

    /// <summary>Cables in memory, one a link; the routing table leads into the first.</summary>
    private sealed class Wire(int number) : ILinkDatagrams
    {
        private readonly TaskCompletionSource<LinkDatagramHandler> _came = new();
        private Wire? _to;

        public IPAddress Other => AddressOn(1, 3 - number);

        /// <summary>The first one takes what it is given and carries nothing.</summary>
        public bool IsCut { get; set; }

        public static (Wire, Wire) Between()
        {
            var (left, right) = (new Wire(1), new Wire(2));
            (left._to, right._to) = (right, left);
            return (left, right);
        }

        public KernelLink Link(int index, LinkKind kind) =>
            new($"link{index}", index, kind, false, true, true, [new LinkAddress(AddressOn(index, number), 24, AddressScope.Global)], []);

        public void LinksAre(IReadOnlyList<KernelLink> links)
        {
        }

        public bool Send(int link, IPEndPoint to, ReadOnlySpan<byte> datagram)
        {
            if (_to is not { } other || !other._came.Task.IsCompletedSuccessfully)
                return false;
            if (!IsCut || link > 1)
                other._came.Task.Result(link, new IPEndPoint(AddressOn(Math.Max(link, 1), number), to.Port), datagram);
            return true;
        }

        public bool SendToNeighbours(int link, ReadOnlySpan<byte> datagram) => Send(link, new IPEndPoint(IPAddress.Any, OverlayOptions.PortDefault), datagram);

        public async Task ReceiveAsync(LinkDatagramHandler came, CancellationToken cancel)
        {
            _came.TrySetResult(came);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        }

        public void Dispose()
        {
        }

        private static IPAddress AddressOn(int link, int number) => IPAddress.Parse($"10.{link}.0.{number}");
    }
}
