using System.Net;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Contracts.Resources;
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
