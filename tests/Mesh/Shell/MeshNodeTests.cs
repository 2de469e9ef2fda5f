using System.Net;
using System.Threading.Channels;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Shell;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Shell;

public sealed class MeshNodeTests
{
    [Fact]
    public async Task A_flood_of_datagrams_does_not_starve_the_timers()
    {
        var endpoint = new IPEndPoint(IPAddress.Loopback, 7900);
        using var socket = new FloodedSocket(endpoint);
        var probe = new CountingProbe();
        var parts = new QuietParts();
        using var node = new MeshNode(
            Samples.Node(1),
            new MeshNodeParts(
                parts, parts, parts, probe, new MachineDescription("arm64", 4096, 4, 1 << 30, "", "", ""), _ => { },
                TimeProvider.System, new Random(1), NullLogger.Instance),
            new GossipPort(socket, [], new byte[32], NullLogger.Instance), endpoint, []);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => node.RunAsync(stop.Token));
        await probe.ThirdRead.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_link_local_address_has_the_scope_of_the_link_on_which_the_node_listens()
    {
        var own = IPEndPoint.Parse("[fe80::1%7]:7900");
        using var socket = new LoopedSocket(own);
        var tag = MemberTag.Of(Samples.Node(2));
        var identity = new MemberIdentity(Samples.Node(2), IPEndPoint.Parse("[fe80::2]:7900"), 7);
        using (var other = new GossipPort(socket, [], new byte[32], NullLogger.Instance))
            other.Send(new Outgoing(new Gossip(tag) { News = [new MemberNews(tag, MemberStatus.Alive, 1, default, Refused: false) { Identity = identity }] }, own));
        var parts = new QuietParts();
        using var node = new MeshNode(
            Samples.Node(1),
            new MeshNodeParts(
                parts, parts, parts, new CountingProbe(), new MachineDescription("arm64", 4096, 4, 1 << 30, "", "", ""), _ => { },
                TimeProvider.System, new Random(1), NullLogger.Instance),
            new GossipPort(socket, [], new byte[32], NullLogger.Instance), own, []);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        node.Changed += snapshot =>
        {
            if (snapshot.Members.Any(member => member.Id == Samples.Node(2)))
                met.TrySetResult();
        };
        var running = Task.Run(() => node.RunAsync(stop.Token));
        await met.Task.WaitAsync(stop.Token);
        Assert.Equal(IPEndPoint.Parse("[fe80::2%7]:7900"), node.AddressOf(Samples.Node(2)));
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Gives back what is sent.</summary>
    private sealed class LoopedSocket(IPEndPoint endpoint) : IDatagramSocket
    {
        private readonly Channel<byte[]> _sent = Channel.CreateUnbounded<byte[]>();

        public IPEndPoint LocalEndpoint => endpoint;

        public Action<IPEndPoint>? Refused { get; set; }

        public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to) => _sent.Writer.TryWrite(datagram.ToArray());

        public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel)
        {
            var datagram = await _sent.Reader.ReadAsync(cancel);
            datagram.CopyTo(buffer);
            return (datagram.Length, endpoint);
        }

        public void Dispose()
        {
        }
    }

    /// <summary>Always has one more datagram, which is not of this site, and never lets its reader wait.</summary>
    private sealed class FloodedSocket(IPEndPoint endpoint) : IDatagramSocket
    {
        public IPEndPoint LocalEndpoint => endpoint;

        public Action<IPEndPoint>? Refused { get; set; }

        public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to)
        {
        }

        public ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            return ValueTask.FromResult((1200, endpoint));
        }

        public void Dispose()
        {
        }
    }

    private sealed class CountingProbe : IResourceProbe
    {
        private int _reads;

        public TaskCompletionSource ThirdRead { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ResourceReading Read()
        {
            if (++_reads == 3)
                ThirdRead.SetResult();
            return default;
        }

        public HealthReading ReadHealth() => default;

        public Surroundings ReadSurroundings() => Surroundings.None;
    }
}
