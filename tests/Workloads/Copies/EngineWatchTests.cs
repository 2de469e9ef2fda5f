using System.Collections.Concurrent;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Workloads.Tests.Copies;

public sealed class EngineWatchTests : IAsyncLifetime
{
    private readonly HostNode _node = new(new PairedNetwork(), 1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<string> _told = [];
    private volatile WorkloadRecord? _record;
    private Task _running = Task.CompletedTask;

    public async Task InitializeAsync()
    {
        _record = Samples.Record(_node.Id, 1);
        _node.Desk.Desk.RecordsAre([_record]);
        await _node.Host.StartAsync(_record, CancellationToken.None).Patiently();
        _running = new EngineWatch(
            _node.Engine, _node.Host, _ => _record,
            engine => Tell(engine is null ? "gone" : "there"),
            (workload, finished, why) => Tell($"{workload} {(finished ? "finished" : "failed")}: {why}"), new HastyTime(), NullLogger.Instance).RunAsync(_stopping.Token);
        await ToldAsync("there");
    }

    public async Task DisposeAsync()
    {
        await _stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _running.Patiently());
        _stopping.Dispose();
        _node.Dispose();
    }

    [Theory]
    [InlineData(0, "demo-conv finished: its container ended with exit code 0")]
    [InlineData(137, "demo-conv failed: its container ended with exit code 137")]
    public async Task A_copy_that_ends_is_told_with_its_exit_code(int code, string expected)
    {
        _node.Engine.End("c1", code);
        await ToldAsync(expected);
    }

    [Fact]
    public async Task A_copy_whose_end_nobody_heard_of_is_found()
    {
        _node.Engine.End("c1", 1, silently: true);
        await ToldAsync("demo-conv failed: its container ended with exit code 1");
    }

    [Fact]
    public async Task A_copy_that_the_node_stops_is_no_news()
    {
        await _node.Host.QuiesceAsync(Samples.Workload, CancellationToken.None).Patiently();
        _node.Engine.Failing["list"] = EngineFailure.Unreachable;
        await ToldAsync("gone");
        Assert.DoesNotContain(_told, line => line.StartsWith("demo-conv", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_discard_that_failed_is_made_good_at_the_next_look()
    {
        _record = Samples.Record(Samples.Node(2), 2);
        _node.Engine.Failing["remove"] = EngineFailure.Failed;
        await Assert.ThrowsAsync<WorkloadException>(() => _node.Host.DiscardAsync(Samples.Workload, "test", CancellationToken.None));
        _node.Engine.Failing.Clear();
        await Within.UntilAsync(() => _node.Engine.Containers.Count == 0);
    }

    [Fact]
    public async Task An_engine_that_hangs_is_as_good_as_gone()
    {
        _node.Engine.Hang = new TaskCompletionSource();
        await ToldAsync("gone");
        await ToldAsync("demo-conv failed: the container engine is gone");
        _node.Engine.Hang = null;
        await Within.UntilAsync(() => _told.Count(line => line == "there") == 2);
    }

    private ValueTask Tell(string what)
    {
        _told.Enqueue(what);
        return ValueTask.CompletedTask;
    }

    private Task ToldAsync(string what) => Within.UntilAsync(() => _told.Any(line => line.StartsWith(what, StringComparison.Ordinal)), () => string.Join(" | ", _told));
}
