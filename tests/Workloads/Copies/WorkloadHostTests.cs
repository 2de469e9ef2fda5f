using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Workloads.Tests.Copies;

public sealed class WorkloadHostTests : IDisposable
{
    private readonly HostNode _node = new(new PairedNetwork(), 1);

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_started_copy_is_fed_and_known_by_its_own_password_only()
    {
        await StartAsync(1);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
        var environment = _node.Engine.Definition("c1").Environment;
        Assert.Equal(("demo-conv", "edge-node", "in/#"), (environment["EDGE_MQTT_USER"], environment["EDGE_MQTT_HOST"], environment["EDGE_INPUTS"]));
        Assert.True(_node.Host.IsCopy(Samples.Workload, Encoding.ASCII.GetBytes(environment["EDGE_MQTT_PASSWORD"])));
        Assert.False(_node.Host.IsCopy(Samples.Workload, "guess"u8));
        _node.Desk.Hear("1");
        await _node.Desk.ProcessAsync("1", "r1");
        await _node.Desk.PublishedAsync("r1");
    }

    [Fact]
    public async Task Starting_twice_changes_nothing()
    {
        await StartAsync(1);
        await StartAsync(1);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
    }

    [Fact]
    public async Task A_quiesced_copy_is_fenced_and_runs_on_from_the_same_container()
    {
        await StartAsync(1);
        var password = Encoding.ASCII.GetBytes(_node.Engine.Definition("c1").Environment["EDGE_MQTT_PASSWORD"]);
        await _node.Host.QuiesceAsync(Samples.Workload, CancellationToken.None).Patiently();
        Assert.Equal(["c1:Exited"], _node.Engine.Containers);
        Assert.False(_node.Host.IsCopy(Samples.Workload, password));
        Assert.Equal(["demo-conv"], _node.Desk.Broker.Evicted);
        await StartAsync(1);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
    }

    [Fact]
    public async Task A_copy_that_is_busy_beyond_its_time_is_stopped_and_the_message_kept()
    {
        await StartAsync(1);
        _node.Desk.Hear("1");
        await _node.Desk.Broker.NextAsync();
        await _node.Host.QuiesceAsync(Samples.Workload, CancellationToken.None).Patiently();
        Assert.Equal(1, _node.Desk.Waiting);
        await StartAsync(1);
        await _node.Desk.ProcessAsync("1", "r1");
        await _node.Desk.PublishedAsync("r1");
    }

    [Fact]
    public async Task A_stop_that_fails_leaves_a_copy_that_can_be_fed_again()
    {
        await StartAsync(1);
        _node.Engine.Failing["stop"] = EngineFailure.Failed;
        await Assert.ThrowsAsync<WorkloadException>(() => _node.Host.QuiesceAsync(Samples.Workload, CancellationToken.None).Patiently());
        await StartAsync(1); // the mesh takes it back
        _node.Desk.Hear("1");
        await _node.Desk.ProcessAsync("1", "r1");
        await _node.Desk.PublishedAsync("r1");
    }

    [Fact]
    public async Task Another_epoch_means_another_container()
    {
        await StartAsync(1);
        await _node.Host.QuiesceAsync(Samples.Workload, CancellationToken.None).Patiently();
        await StartAsync(2);
        Assert.Equal(["c2:Running"], _node.Engine.Containers);
        Assert.Equal("2", _node.Engine.Definition("c2").Labels[CopyLabels.Epoch]);
    }

    [Fact]
    public async Task A_container_that_ends_at_once_has_not_started_and_its_last_words_are_told()
    {
        _node.Engine.EndsAtOnceWith = 3;
        _node.Subscribes = false;
        var error = await Assert.ThrowsAsync<WorkloadException>(() => StartAsync(1));
        Assert.Contains("exit code 3; last words", error.Message, StringComparison.Ordinal);
        Assert.Equal(["demo-conv"], _node.Desk.Broker.Evicted);
    }

    [Fact]
    public async Task A_copy_that_never_subscribes_counts_as_started_after_a_while()
    {
        _node.Subscribes = false;
        await StartAsync(1);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
    }

    [Fact]
    public async Task An_engine_that_goes_away_during_the_start_fails_it()
    {
        _node.Engine.Started = _ => _node.Host.FenceAll("gone");
        await Assert.ThrowsAsync<WorkloadException>(() => StartAsync(1));
    }

    [Fact]
    public async Task Discarding_leaves_nothing_and_may_be_repeated()
    {
        await StartAsync(1, Samples.Spec with { Volumes = new Dictionary<string, string> { ["data"] = "/data" } });
        for (var i = 0; i < 2; i++)
            await _node.Host.DiscardAsync(Samples.Workload, "test", CancellationToken.None);
        Assert.Empty(_node.Engine.Containers);
        Assert.Empty(_node.Engine.Volumes);
        Assert.Null(_node.Host.ContainerOf(Samples.Workload));
    }

    [Fact]
    public async Task Only_what_the_lease_prepared_is_discarded_with_it()
    {
        var lease = Guid.NewGuid();
        await _node.Host.PrepareAsync(Samples.Spec, 2, lease, CancellationToken.None);
        Assert.Equal("c1", _node.Host.PreparedContainer(Samples.Workload, lease));
        await _node.Host.DiscardPreparedAsync(Samples.Workload, Guid.NewGuid(), CancellationToken.None);
        Assert.Equal(["c1:Created"], _node.Engine.Containers);
        await StartAsync(2);
        await _node.Host.DiscardPreparedAsync(Samples.Workload, lease, CancellationToken.None);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
        await Assert.ThrowsAsync<WorkloadException>(() => _node.Host.PrepareAsync(Samples.Spec, 3, lease, CancellationToken.None));
    }

    [Theory]
    [InlineData(1, true, 1, true)]
    [InlineData(1, true, 2, false)] // of an epoch that is over
    [InlineData(1, false, 1, false)] // it does not run any more
    public async Task Of_what_a_restart_left_only_the_running_copy_of_the_present_epoch_stays(long epoch, bool runs, long present, bool stays)
    {
        await StartAsync(epoch);
        if (!runs)
            _node.Engine.End("c1", 0);
        using var restarted = new WorkloadHost(
            _node.Id, _node.Engine, _node.Images, new PairedNetwork().Of(_node.Id), _node.Desk.Broker, _node.Desk.Desk, 1883, new HastyTime(), NullLogger.Instance);
        await restarted.SortLeftoversAsync(_ => Samples.Record(_node.Id, present), CancellationToken.None);
        Assert.Equal(stays ? ["c1:Running"] : [], _node.Engine.Containers);
        Assert.Equal(stays ? "c1" : null, restarted.ContainerOf(Samples.Workload));
    }

    [Fact]
    public async Task The_end_of_a_copy_is_told_once_and_not_when_the_node_stops_it()
    {
        await StartAsync(1);
        Assert.Null(_node.Host.Ended("another"));
        Assert.Equal(Samples.Workload, _node.Host.Ended("c1"));
        Assert.Null(_node.Host.Ended("c1"));
        Assert.Empty(_node.Host.FenceAll("gone"));
    }

    private async Task StartAsync(long epoch, WorkloadSpec? spec = null)
    {
        var record = Samples.Record(_node.Id, epoch, spec: spec);
        _node.Desk.Desk.RecordsAre([record]);
        await _node.Host.StartAsync(record, CancellationToken.None).Patiently();
    }
}
