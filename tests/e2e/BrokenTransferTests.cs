using System.Globalization;
using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>Moves that cannot succeed: the workload stays alive where it is, and the peer keeps nothing of the attempt.</summary>
public sealed class BrokenTransferTests(LyingPeerFixture fixture) : IClassFixture<LyingPeerFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Site _site = fixture.Site;

    [LabFact]
    public async Task A_peer_that_cannot_create_what_it_granted_leaves_the_workload_at_its_source()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "liar");
        await AssertFailedMoveAsync(workload, line => line.Contains("/containers/create", StringComparison.Ordinal));
    }

    [LabFact]
    public async Task A_peer_that_cannot_start_what_it_created_leaves_the_workload_at_its_source()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "liarstart");
        await AssertFailedMoveAsync(workload, line => line.Contains("/start", StringComparison.Ordinal) && line.StartsWith("POST", StringComparison.Ordinal));
    }

    [LabFact]
    public async Task A_peer_that_cannot_load_the_image_leaves_the_workload_at_its_source()
    {
        await fixture.Gate2.Engine.RemoveImageAsync("convolution:1");
        await using var workload = await StreamedWorkload.DeployAsync(_site, "liarload");
        await AssertFailedMoveAsync(workload, line => line.Contains("/images/load", StringComparison.Ordinal));
    }

    [LabFact]
    public async Task An_image_transfer_that_is_cut_in_the_middle_leaves_nothing_on_the_peer()
    {
        await fixture.Gate2.Engine.RemoveImageAsync(LyingPeerFixture.LargeImage);
        await using var workload = await StreamedWorkload.DeployAsync(_site, "cut", LyingPeerFixture.LargeImage);
        var before = await TracesAsync(fixture.Gate2);
        await fixture.Gate1.ShapeAsync(kilobitsPerSecond: 32_000);
        try
        {
            var received = ReceivedBytes(fixture.Gate2);
            var moving = fixture.Gate1.Firmware.CommandAsync(CancellationToken.None, "migrate", workload.Id, "--to", "gate-2");
            await Until.TrueAsync(
                () => ReceivedBytes(fixture.Gate2) - received > LyingPeerFixture.BallastBytes / 3 || moving.IsCompleted, Patience, "a third of the image is across");
            Assert.False(moving.IsCompleted, moving.IsCompleted ? $"the move ended before it could be cut: {(await moving).Error}{(await moving).Output}" : "");
            await fixture.Gate2.CutLinkAsync();
            var outcome = await moving;
            Assert.NotEqual(0, outcome.ExitCode);
            Assert.NotEmpty(outcome.Error);
        }
        finally
        {
            await fixture.Gate1.UnshapeAsync();
            await fixture.Gate2.RestoreLinkAsync();
        }
        Assert.Equal("gate-1", (await workload.HostAsync()).Name);
        await workload.CaughtUpAsync();
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await AssertTracesAsync(fixture.Gate2, before);
        await FinishCleanAsync(workload);
    }

    [LabFact]
    public async Task A_source_that_dies_in_the_middle_of_an_image_transfer_leaves_nothing_on_the_peer_and_goes_on_after_its_restart()
    {
        await fixture.Gate2.Engine.RemoveImageAsync(LyingPeerFixture.LargeImage);
        await using var workload = await StreamedWorkload.DeployAsync(_site, "truncated", LyingPeerFixture.LargeImage);
        var before = await TracesAsync(fixture.Gate2);
        await fixture.Gate1.ShapeAsync(kilobitsPerSecond: 32_000);
        try
        {
            var received = ReceivedBytes(fixture.Gate2);
            var moving = fixture.Gate1.Firmware.CommandAsync(CancellationToken.None, "migrate", workload.Id, "--to", "gate-2");
            await Until.TrueAsync(
                () => ReceivedBytes(fixture.Gate2) - received > LyingPeerFixture.BallastBytes / 3 || moving.IsCompleted, Patience, "a third of the image is across");
            Assert.False(moving.IsCompleted, moving.IsCompleted ? $"the move ended before it could be cut: {(await moving).Error}{(await moving).Output}" : "");
            await fixture.Gate1.Firmware.KillAsync();
            Assert.NotEqual(0, (await moving).ExitCode);
        }
        finally
        {
            await fixture.Gate1.UnshapeAsync();
        }
        fixture.Gate1.Firmware.Start();
        await workload.CaughtUpAsync();
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await AssertTracesAsync(fixture.Gate2, before);
        Assert.False(await fixture.Gate2.Engine.HasImageAsync(LyingPeerFixture.LargeImage), "the peer has an image it was only sent a part of");
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, $"{workload.Stream.Copies.MostAlive()} copies lived at the same time");
    }

    [LabFact]
    public async Task A_full_data_directory_loses_nothing_and_takes_no_more_work()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "fulldisk");
        await workload.MoveAsync("gate-3");
        await fixture.Gate3.Engine.LoadAsync(await SampleImages.ConvolutionAsync(_site.Directory));
        var filler = Path.Combine(fixture.Gate3.DataDirectory, "filler");
        await Command.TryAsync("dd", ["if=/dev/zero", $"of={filler}", "bs=64k"]);
        try
        {
            var spec = Lab.Streams.WorkloadPlan.Convolution("nospace").Spec();
            var asked = await fixture.Gate3.Firmware.CommandAsync(CancellationToken.None, "deploy", await fixture.Gate3.WriteSpecAsync(spec));
            if (asked.ExitCode == 0)
                Assert.NotEqual("gate-3", (await fixture.Gate1.WorkloadAsync("demo-nospace"))?.Node);
            else
                Assert.Matches("(?i)disk|space|storage", asked.Error);
            await Until.TrueAsync(
                async () => (await fixture.Gate3.Engine.WorkloadContainersAsync()).All(container => (string?)container["Labels"]?["edge.workload"] != "demo-nospace"),
                TimeSpan.FromSeconds(10), "the full node has no container of the new deployment");
            foreach (var node in _site.Nodes)
                await node.Firmware.CommandAsync(CancellationToken.None, "remove", "demo-nospace");
            await workload.CaughtUpAsync();
        }
        finally
        {
            File.Delete(filler);
        }
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await FinishCleanAsync(workload);
    }

    private async Task AssertFailedMoveAsync(StreamedWorkload workload, Func<string, bool> refuses)
    {
        var before = await TracesAsync(fixture.Gate2);
        fixture.Proxy.Refuse(refuses);
        try
        {
            var outcome = await fixture.Gate1.Firmware.CommandAsync(CancellationToken.None, "migrate", workload.Id, "--to", "gate-2");
            Assert.True(fixture.Proxy.Refused > 0, "the peer did not try");
            Assert.NotEqual(0, outcome.ExitCode);
            Assert.NotEmpty(outcome.Error);
        }
        finally
        {
            fixture.Proxy.RefuseNothing();
        }
        Assert.Equal("gate-1", (await workload.HostAsync()).Name);
        await workload.CaughtUpAsync();
        await AssertTracesAsync(fixture.Gate2, before);
        await FinishCleanAsync(workload);
    }

    private static async Task FinishCleanAsync(StreamedWorkload workload)
    {
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.True(account.IsClean, $"{account}; missing {string.Join(',', workload.Stream.Ledger.MissingNumbers().Take(10))}");
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, $"{workload.Stream.Copies.MostAlive()} copies lived at the same time");
    }

    /// <summary>Everything half-done a move could leave on a node: containers, volumes, images without a name, large files. A whole image may
    /// stay: it spares the next attempt the transfer.</summary>
    private static async Task<IReadOnlyList<string>> TracesAsync(Node node) =>
    [
        .. (await node.Engine.WorkloadContainersAsync()).Select(container => $"container {container["Names"]}"),
        .. (await node.Engine.VolumesAsync()).Select(volume => $"volume {volume}"),
        .. (await node.Engine.UntaggedImagesAsync()).Select(image => $"image {image}"),
        .. new DirectoryInfo(node.DataDirectory).EnumerateFiles("*", SearchOption.AllDirectories).Where(file => file.Length > 1 << 20).Select(file => $"file {file.FullName}"),
    ];

    private static async Task AssertTracesAsync(Node node, IReadOnlyList<string> before)
    {
        IReadOnlyList<string> more = [];
        await Until.TrueAsync(
            async () => (more = [.. (await TracesAsync(node)).Except(before)]).Count == 0,
            TimeSpan.FromSeconds(40),
            $"{node.Name} keeps nothing of the attempt",
            found: () => string.Join(", ", more));
    }

    private static long ReceivedBytes(Node node)
    {
        // The node's own counters, read through a process of it.
        var line = File.ReadLines($"/proc/{node.Firmware.ProcessId}/net/dev").First(text => text.TrimStart().StartsWith("eth0:", StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
    }
}
