using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Workloads.Copies;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Copies;

public sealed class LeftoversTests : IDisposable
{
    private static readonly WorkloadSpec Spec = Samples.Spec with { Volumes = new Dictionary<string, string> { ["data"] = "/data" } };
    private static readonly NodeId Another = Samples.Node(2);

    private readonly HostNode _node = new(new PairedNetwork(), 1);

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task What_was_discarded_without_an_engine_goes_when_the_engine_is_back()
    {
        await StartAsync();
        await DiscardInVainAsync("list", EngineFailure.Unreachable);
        Assert.Equal(["c1:Running"], _node.Engine.Containers);
        Assert.Equal(["demo-conv..data"], _node.Engine.Volumes);
        Assert.True(_node.Host.HasLeftovers);
        await SortAsync(_ => Samples.Record(_node.Id, 2, WorkloadState.Removed));
        Assert.Equal([], _node.Engine.Containers);
        Assert.Equal([], _node.Engine.Volumes);
        Assert.False(_node.Host.HasLeftovers);
    }

    [Fact]
    public async Task Volumes_stay_unless_a_record_says_that_the_workload_is_elsewhere_or_gone()
    {
        await _node.Engine.CreateVolumeAsync("demo-conv..data", new Dictionary<string, string> { [CopyLabels.Workload] = "demo-conv" }, CancellationToken.None);
        await SortAsync(_ => null);
        Assert.Single(_node.Engine.Volumes);
        await SortAsync(_ => Samples.Record(_node.Id, 2, WorkloadState.HandingOver));
        Assert.Single(_node.Engine.Volumes);
        await SortAsync(_ => Samples.Record(Another, 2));
        Assert.Empty(_node.Engine.Volumes);
    }

    [Fact]
    public async Task Volumes_of_a_start_that_failed_go_without_a_record()
    {
        await StartAsync();
        await DiscardInVainAsync("list-volumes", EngineFailure.Unreachable);
        await SortAsync(_ => null);
        Assert.Empty(_node.Engine.Volumes);
    }

    [Fact]
    public async Task What_a_lease_prepares_is_no_leftover()
    {
        await _node.Host.PrepareAsync(Spec, 2, Guid.NewGuid(), CancellationToken.None);
        await SortAsync(_ => Samples.Record(Another, 1));
        Assert.Equal(["c1:Created"], _node.Engine.Containers);
        Assert.Equal(["demo-conv..data"], _node.Engine.Volumes);
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("remove-volume")]
    public async Task What_cannot_be_removed_does_not_keep_the_node_from_its_engine(string method)
    {
        await StartAsync();
        await DiscardInVainAsync("list", EngineFailure.Unreachable);
        _node.Engine.Failing[method] = EngineFailure.Conflict;
        await SortAsync(_ => Samples.Record(Another, 2));
        Assert.True(_node.Host.HasLeftovers);
        _node.Engine.Failing[method] = EngineFailure.Unreachable;
        await Assert.ThrowsAsync<EngineException>(() => SortAsync(_ => Samples.Record(Another, 2)));
        Assert.True(_node.Host.HasLeftovers);
        _node.Engine.Failing.Clear();
        await SortAsync(_ => Samples.Record(Another, 2));
        Assert.False(_node.Host.HasLeftovers);
    }

    [Theory]
    [InlineData("demo-conv..data", "demo-conv")]
    [InlineData("demo-conv...data", "demo-conv.")]
    [InlineData("demo-conv", null)]
    [InlineData("..data", null)]
    [InlineData("Demo-conv..data", null)]
    public void A_volume_s_name_tells_its_workload(string volume, string? workload) =>
        Assert.Equal(workload, CopyLabels.WorkloadOf(volume)?.Value);

    private async Task StartAsync()
    {
        var record = Samples.Record(_node.Id, 1, spec: Spec);
        _node.Desk.Desk.RecordsAre([record]);
        await _node.Host.StartAsync(record, CancellationToken.None).Patiently();
    }

    private async Task DiscardInVainAsync(string method, EngineFailure failure)
    {
        _node.Engine.Failing[method] = failure;
        await Assert.ThrowsAsync<WorkloadException>(() => _node.Host.DiscardAsync(Samples.Workload, "test", CancellationToken.None));
        _node.Engine.Failing.Clear();
    }

    private Task SortAsync(Func<WorkloadId, WorkloadRecord?> find) => _node.Host.SortLeftoversAsync(find, CancellationToken.None).Patiently();
}
