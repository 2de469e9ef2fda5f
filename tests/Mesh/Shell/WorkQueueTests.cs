using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Shell;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Shell;

public sealed class WorkQueueTests
{
    private static readonly WorkloadRecord Record =
        new(Samples.Workload(), 1, 0, Samples.Node(2), Samples.Node(1), WorkloadState.Running, null, "");

    [Fact]
    public async Task Cancelled_work_ends_with_a_fault_and_what_waits_behind_it_begins()
    {
        var host = new EndlessTransfers();
        var queue = new WorkQueue(host, host, NullLogger.Instance, error => Assert.Fail(error.Message), CancellationToken.None);
        var ends = new TaskCompletionSource<string>[] { new(), new(), new() };
        var steps = ends.Select(_ => Guid.NewGuid()).ToArray();
        for (var i = 0; i < ends.Length; i++)
        {
            var end = ends[i];
            queue.Do(new Work(steps[i], WorkKind.Transfer, Record), (_, fault) => end.SetResult(fault));
        }
        queue.Cancel(steps[1]); // before it has begun
        await host.Begun.WaitAsync(TimeSpan.FromSeconds(10));
        queue.Cancel(steps[0]);
        Assert.Equal("cancelled", await ends[0].Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal("cancelled", await ends[1].Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await host.Begun.WaitAsync(TimeSpan.FromSeconds(10));
        queue.Cancel(steps[2]);
        Assert.Equal("cancelled", await ends[2].Task.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(2, host.Transfers);
        queue.Cancel(steps[2]); // it has ended
    }

    private sealed class EndlessTransfers : QuietParts
    {
        public SemaphoreSlim Begun { get; } = new(0);

        public int Transfers { get; private set; }

        public override async Task<long> TransferAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel)
        {
            Transfers++;
            Begun.Release();
            await Task.Delay(Timeout.Infinite, cancel);
            return 0;
        }
    }
}
