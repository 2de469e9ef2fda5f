using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Tests.Support;
using EdgeFirmware.Workloads.Transfer;

namespace EdgeFirmware.Workloads.Tests.Transfer;

public sealed class TransferScenarios : IDisposable
{
    private static readonly WorkloadSpec Spec = Samples.Spec with { Volumes = new Dictionary<string, string> { ["data"] = "/var/data" } };

    private readonly PairedNetwork _network = new();
    private readonly HostNode _from;
    private readonly HostNode _to;
    private readonly Guid _lease = Guid.NewGuid();

    public TransferScenarios()
    {
        _from = new HostNode(_network, 1);
        _to = new HostNode(_network, 2);
        _to.Engine.Images.Clear();
        _to.Grant(_lease, Spec);
    }

    public void Dispose()
    {
        _from.Dispose();
        _to.Dispose();
        Assert.Empty(_network.Bugs);
    }

    [Fact]
    public async Task An_image_arrives_and_a_container_is_prepared()
    {
        var bytes = await TransferAsync();
        Assert.InRange(bytes, HostNode.Image.Length, HostNode.Image.Length + 2000);
        Assert.Equal(HostNode.Image, _to.Images.Received);
        Assert.Equal(["c1:Created"], _to.Engine.Containers);
        Assert.Equal(["demo-conv..data"], _to.Engine.Volumes);
        Assert.Equal([true], _to.Ended);
    }

    [Fact]
    public async Task An_image_that_is_there_is_not_sent()
    {
        _to.Engine.Images.Add("conv:1");
        Assert.InRange(await TransferAsync(), 1, 2000);
    }

    [Fact]
    public async Task What_is_held_is_on_disk_before_the_sender_hears_that_it_is_here()
    {
        await _from.Host.StartAsync(Samples.Record(_from.Id, 1, spec: Spec), CancellationToken.None);
        await TransferAsync();
        Assert.Equal(0, _to.Engine.Flushes);
        _to.IsToHold = true;
        await _from.Host.TransferVolumesAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, CancellationToken.None);
        Assert.Equal(1, _to.Engine.Flushes);
    }

    [Fact]
    public async Task Volumes_without_a_container_after_a_restart_are_sent_all_the_same()
    {
        await _from.Engine.CreateVolumeAsync("demo-conv..data", new Dictionary<string, string> { ["edge.workload"] = "demo-conv" }, CancellationToken.None);
        await TransferAsync();
        await _from.Host.TransferVolumesAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, CancellationToken.None);
        Assert.Equal([true, true], _to.Ended);
    }

    [Fact]
    public async Task Volumes_follow_into_the_prepared_container()
    {
        await _from.Host.StartAsync(Samples.Record(_from.Id, 1, spec: Spec), CancellationToken.None);
        _from.Engine.Fill("c1", "/var/data", [1, 2, 3]);
        await TransferAsync();
        await _from.Host.TransferVolumesAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, CancellationToken.None);
        Assert.Equal([1, 2, 3], _to.Engine.Content("c1", "/var")!);
    }

    [Fact]
    public async Task A_lease_nobody_granted_is_refused()
    {
        var error = await Assert.ThrowsAsync<WorkloadException>(
            () => _from.Host.TransferAsync(Samples.Record(_to.Id, 2), _to.Id, Guid.NewGuid(), CancellationToken.None).Patiently());
        Assert.Equal("no such lease", error.Message);
        Assert.Empty(_to.Engine.Containers);
    }

    [Fact]
    public async Task A_lease_that_ends_meanwhile_leaves_nothing_and_the_sender_is_told()
    {
        _to.LeaseStands = false;
        Assert.Equal("the lease has ended", (await Assert.ThrowsAsync<WorkloadException>(TransferAsync)).Message);
        Assert.Empty(_to.Engine.Containers);
        Assert.Empty(_to.Engine.Volumes);
    }

    [Fact]
    public async Task A_lease_that_ends_in_the_middle_closes_the_conversation_and_leaves_nothing()
    {
        await using var conversation = await BeginAsync($$"""{"lease":"{{_lease}}","epoch":2,"image":null,"volumes":false}""");
        Assert.Equal((byte)TransferFrame.Want, (await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently())!.Value.Type);
        await _to.LeaseEnds.CancelAsync();
        Assert.Null(await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently());
        Assert.Equal([false], _to.Ended);
        Assert.Empty(_to.Engine.Containers);
    }

    [Fact]
    public async Task A_lease_that_ends_while_volumes_come_takes_what_was_prepared_away()
    {
        await TransferAsync();
        await using var conversation = await BeginAsync($$"""{"lease":"{{_lease}}","epoch":2,"image":null,"volumes":true}""");
        Assert.Equal((byte)TransferFrame.Want, (await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently())!.Value.Type);
        await _to.LeaseEnds.CancelAsync();
        Assert.Null(await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently());
        Assert.Empty(_to.Engine.Containers);
        Assert.Empty(_to.Engine.Volumes);
    }

    [Fact]
    public async Task A_transfer_that_is_given_up_lets_go_of_both_ends()
    {
        using var cancelled = new CancellationTokenSource();
        _network.Judge = (_, _, sent) =>
        {
            if (sent == (byte)TransferFrame.Chunk)
                cancelled.Cancel();
            return Fate.Pass;
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _from.Host.TransferAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, cancelled.Token).Patiently());
        await Within.UntilAsync(() => _to.Ended.Count == 1);
        Assert.Equal([false], _to.Ended);
        Assert.Empty(_to.Engine.Containers);
    }

    [Theory]
    [InlineData((byte)TransferFrame.Chunk, 2)]
    [InlineData((byte)TransferFrame.End, 1)]
    [InlineData((byte)TransferFrame.Done, 1)]
    public async Task A_transfer_that_is_cut_leaves_nothing_prepared(byte type, int count)
    {
        _network.Judge = (_, _, sent) => sent == type && --count == 0 ? Fate.CutBefore : Fate.Pass;
        await Assert.ThrowsAsync<WorkloadException>(TransferAsync);
        await Within.UntilAsync(() => _to.Ended.Count == 1);
        Assert.Equal([false], _to.Ended);
        Assert.Empty(_to.Engine.Containers);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("create-volume")]
    [InlineData("list")]
    public async Task An_engine_that_fails_is_told_to_the_sender_and_leaves_nothing(string what)
    {
        _to.Engine.Failing[what] = EngineFailure.DiskFull;
        Assert.Contains($"{what} fails", (await Assert.ThrowsAsync<WorkloadException>(TransferAsync)).Message, StringComparison.Ordinal);
        Assert.Equal([false], _to.Ended);
        Assert.Empty(_to.Engine.Containers);
        Assert.Empty(_to.Engine.Volumes);
    }

    [Fact]
    public async Task Volumes_without_a_prepared_container_are_refused()
    {
        await _from.Host.StartAsync(Samples.Record(_from.Id, 1, spec: Spec), CancellationToken.None);
        await Assert.ThrowsAsync<WorkloadException>(
            () => _from.Host.TransferVolumesAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, CancellationToken.None).Patiently());
    }

    [Theory]
    [InlineData("other")]
    [InlineData("../../etc")]
    [InlineData("")]
    public async Task A_volume_that_the_workload_does_not_have_ends_the_transfer(string volume)
    {
        await TransferAsync();
        await using var conversation = await BeginAsync($$"""{"lease":"{{_lease}}","epoch":2,"image":null,"volumes":true}""");
        Assert.Equal((byte)TransferFrame.Want, (await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently())!.Value.Type);
        await conversation.SendAsync((byte)TransferFrame.Volume, Encoding.UTF8.GetBytes(volume), CancellationToken.None);
        await Within.UntilAsync(() => _network.Faults.Contains("a volume that the workload does not have"));
        Assert.Null(_to.Engine.Content("c1", "/var"));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"lease\":\"LEASE\",\"epoch\":1,\"image\":{\"id\":\"sha256:x\"},\"volumes\":false}")]
    [InlineData("{\"lease\":\"LEASE\",\"epoch\":1,\"image\":{\"id\":\"sha256:x\",\"references\":[null],\"architecture\":\"\",\"sizeBytes\":1,\"layerDigests\":[null]},\"volumes\":false}")]
    [InlineData("{\"lease\":\"LEASE\",\"epoch\":1,\"image\":{\"id\":\"x\",\"references\":[],\"architecture\":\"\",\"sizeBytes\":1,\"layerDigests\":[]},\"volumes\":false}")]
    public async Task An_opening_that_cannot_be_is_refused_and_is_no_bug_of_ours(string json)
    {
        await using var conversation = await BeginAsync(json.Replace("LEASE", _lease.ToString(), StringComparison.Ordinal));
        var answer = await conversation.ReceiveAsync(CancellationToken.None).AsTask().Patiently();
        Assert.True(answer is null or { Type: (byte)TransferFrame.Reject });
        Assert.Empty(_to.Engine.Containers);
    }

    [Theory]
    [InlineData((byte)TransferFrame.Want, "nonsense")]
    [InlineData((byte)TransferFrame.Want, "{}")]
    [InlineData((byte)TransferFrame.Want, "{\"sendImage\":true,\"skipLayers\":99}")]
    [InlineData((byte)TransferFrame.Chunk, "")]
    public async Task A_receiver_that_talks_nonsense_fails_the_transfer_and_nothing_else(byte type, string body)
    {
        _network.Serve(_to.Id, async (conversation, cancel) =>
        {
            await conversation.ReceiveAsync(cancel);
            await conversation.SendAsync(type, Encoding.UTF8.GetBytes(body), cancel);
            await conversation.ReceiveAsync(cancel);
        });
        await Assert.ThrowsAsync<WorkloadException>(TransferAsync);
    }

    private Task<long> TransferAsync() =>
        _from.Host.TransferAsync(Samples.Record(_to.Id, 2, spec: Spec), _to.Id, _lease, CancellationToken.None).Patiently();

    private async Task<IPeerConversation> BeginAsync(string json)
    {
        var conversation = await _network.Of(_from.Id).OpenAsync(_to.Id, ConversationKind.Transfer, CancellationToken.None);
        await conversation.SendAsync((byte)TransferFrame.Begin, Encoding.UTF8.GetBytes(json), CancellationToken.None);
        return conversation;
    }
}
