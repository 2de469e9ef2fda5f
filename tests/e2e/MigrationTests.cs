using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>What must hold for every move: nothing lost, nothing twice, order kept, never two copies, a quick choice of the peer.</summary>
public sealed class MigrationTests(SiteFixture fixture) : IClassFixture<SiteFixture>
{
    private const int Moves = 10;
    private readonly Site _site = fixture.Site;

    [LabFact]
    public async Task Ten_planned_moves_lose_and_repeat_nothing()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "planned");
        for (var i = 0; i < Moves; i++)
            await MoveAsync([workload], async () => [await workload.MoveAsync(_site.Nodes[(i + 1) % 3].Name)]);
        await FinishCleanAsync(workload);
    }

    [LabFact]
    public async Task Ten_moves_by_overload_lose_and_repeat_nothing()
    {
        // One stays for 20 s where it has come, and ever longer when it has been moved about: so two wait at a time, and each moves twice.
        foreach (var pair in Enumerable.Range(0, Moves / 2).Chunk(2))
        {
            var workloads = new List<StreamedWorkload>();
            try
            {
                foreach (var number in pair)
                    workloads.Add(await StreamedWorkload.DeployAsync(_site, $"overload{number}"));
                for (var round = 0; round < 2; round++)
                {
                    await UntilAllCanTakeWorkAsync();
                    await MoveAsync(workloads, () => StreamedWorkload.MoveByOverloadAsync(_site, workloads));
                }
                foreach (var workload in workloads)
                    await FinishCleanAsync(workload);
            }
            finally
            {
                foreach (var workload in workloads)
                    await workload.DisposeAsync();
            }
        }
        await UntilAllCanTakeWorkAsync();
    }

    [LabFact]
    public async Task A_removed_workload_leaves_no_container_and_no_volume_on_any_node_it_has_been_on()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "removed");
        await workload.MoveAsync("gate-2");
        await workload.MoveAsync("gate-3");
        var removed = await fixture.Gate3.Firmware.CommandAsync(CancellationToken.None, "remove", workload.Id);
        Assert.True(removed.ExitCode == 0, removed.Error);
        await Until.TrueAsync(workload.IsGoneAsync, TimeSpan.FromSeconds(20), "it is gone everywhere");
        Assert.Null(await fixture.Gate1.WorkloadAsync(workload.Id));
    }

    [LabFact]
    public async Task An_image_that_shares_layers_sends_only_what_the_peer_lacks()
    {
        await using var first = await StreamedWorkload.DeployAsync(_site, "first");
        await first.MoveAsync("gate-2");
        await fixture.Gate1.Engine.LoadAsync(await SampleImages.ConvolutionAsync(_site.Directory, edition: 2));
        await using var second = await StreamedWorkload.DeployAsync(_site, "second", "convolution:2");
        var imageBytes = await fixture.Gate1.Engine.ImageBytesAsync("convolution:2");
        var move = await second.MoveAsync("gate-2");
        Assert.True(await fixture.Gate2.Engine.HasImageAsync("convolution:2"));
        Assert.True(move.BytesSent < imageBytes / 10, $"{move.BytesSent} bytes were sent for an image of {imageBytes} of which the peer had all but a few");
        // And with everything there already: configuration and volume only.
        await second.MoveAsync("gate-1");
        var again = await second.MoveAsync("gate-2");
        Assert.True(again.BytesSent < 100_000, $"{again.BytesSent} bytes were sent although the peer had the image");
    }

    /// <summary>For a while after an overload a node takes none.</summary>
    private Task UntilAllCanTakeWorkAsync() => Site.UntilMeshedAsync(_site.Nodes, TimeSpan.FromSeconds(60));

    /// <param name="move">Moves each of the workloads once; in their order.</param>
    private static async Task MoveAsync(IReadOnlyList<StreamedWorkload> workloads, Func<Task<IReadOnlyList<MoveView>>> move)
    {
        var from = new List<Node>();
        foreach (var workload in workloads)
        {
            from.Add(await workload.HostAsync());
            var still = workload.Stream.Copies.Count;
            await workload.Stream.FlowsAsync(10, TimeSpan.FromSeconds(10), "results flow between moves");
            AssertOneCopy(workload.Stream.Copies.Since(still), $"before {workload.Id} leaves {from[^1].Name}");
        }
        foreach (var ((workload, host), moved) in workloads.Zip(from).Zip(await move()))
        {
            Assert.Equal(host.Name, moved.From);
            Assert.NotEqual(host.Name, moved.To);
            Assert.Equal(moved.To, (await workload.HostAsync()).Name);
            Assert.InRange(moved.SelectionMilliseconds, 0, 100);
        }
    }

    private static async Task FinishCleanAsync(StreamedWorkload workload)
    {
        var ledger = workload.Stream.Ledger;
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.True(account.IsClean, $"{account}; missing {string.Join(',', ledger.MissingNumbers().Take(10))}");
        Assert.Equal(account.Sent, account.In);
        Assert.Empty(ledger.Faults);
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, $"{workload.Stream.Copies.MostAlive()} copies lived at the same time");
        // The count is kept in the workload's volume: it went along on every move.
        Assert.Equal(account.Out, ledger.LastResult!.Processed);
    }

    private static void AssertOneCopy(IReadOnlyList<CopySample> samples, string when) =>
        Assert.All(samples, sample => Assert.True(sample.Live.Count == 1, $"{when}: {sample.Live.Count} live copies ({string.Join(", ", sample.Live)})"));
}
