using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Images;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Images;

/// <summary>Images between two real Docker Engines, and from Docker to Podman and back. Each test builds images of its own, so no base is at the
/// receiver unless the test puts it there.</summary>
[Collection(DockerCollection.Name)]
[Needs("root", "dockerd", "busybox")]
public sealed class ImageTransferScenarios(DockerFixture fixture)
{
    private readonly string _base = $"base{Guid.NewGuid():N}";
    private readonly string _app = $"app{Guid.NewGuid():N}";

    private RunningEngine Here => fixture.Engine;

    private ImageSender Sender => new(Here.Adapter);

    [NeedsFact]
    public async Task Only_the_layers_above_a_common_base_are_sent()
    {
        var there = await fixture.SecondAsync();
        var receiver = new ImageReceiver(there.Adapter);
        var (baseImage, app) = await BuildAsync();
        Assert.Equal(new ImagePresence(false, 0), await receiver.FindAsync(app, default));

        var whole = await SentAsync(baseImage, 0);
        await receiver.ReceiveAsync(baseImage, whole, default);
        Assert.Equal(new ImagePresence(false, 1), await receiver.FindAsync(app, default));

        var partial = await SentAsync(app, 1);
        Assert.True(partial.Length < whole.Length / 20, $"{partial.Length} bytes of {whole.Length}");
        await receiver.ReceiveAsync(app, partial, default);
        Assert.Equal(new ImagePresence(true, 3), await receiver.FindAsync(app, default));
        Assert.Equal(app.Id, (await there.Adapter.InspectImageAsync($"{_app}:1", default))?.Id);
        Assert.Equal("first second", await OutputAsync(there, "cat", "/etc/first", "/etc/second"));
    }

    [NeedsFact]
    public async Task An_image_whose_layers_are_all_there_costs_its_configuration_only()
    {
        var there = await fixture.SecondAsync();
        var (_, app) = await BuildAsync();
        await new ImageReceiver(there.Adapter).ReceiveAsync(app, await SentAsync(app, 0), default);
        await there.Adapter.RemoveImageAsync($"{_app}:1", default);
        await new ImageReceiver(there.Adapter).ReceiveAsync(app, await SentAsync(app, 0), default);

        // Another command, no other file: another image with the same layers.
        await Here.Raw.PostAsync($"commit?container={await ContainerAsync()}&repo={_app}&tag=2&changes={Uri.EscapeDataString("CMD [\"true\"]")}");
        var changed = await Sender.OutlineAsync($"{_app}:2", default);
        var presence = await new ImageReceiver(there.Adapter).FindAsync(changed!, default);
        Assert.False(presence.IsHere);
        Assert.Equal(3, presence.LayersPresent);
        await new ImageReceiver(there.Adapter).ReceiveAsync(changed!, await SentAsync(changed!, 3), default);
        Assert.Equal(changed!.Id, (await there.Adapter.InspectImageAsync($"{_app}:2", default))?.Id);
    }

    [NeedsFact]
    public async Task A_partial_tar_without_its_base_is_refused_and_leaves_nothing()
    {
        var there = await fixture.SecondAsync();
        var (_, app) = await BuildAsync();
        var refused = await RefusedAsync(there, app, await SentAsync(app, 1));
        Assert.Contains("a layer it leaves out is not here", refused.Message, StringComparison.Ordinal);
        // The whole one, as the receiver's next step.
        await new ImageReceiver(there.Adapter).ReceiveAsync(app, await SentAsync(app, 0), default);
    }

    [NeedsFact]
    public async Task A_tar_that_is_cut_off_is_refused_and_leaves_nothing()
    {
        var there = await fixture.SecondAsync();
        var (_, app) = await BuildAsync();
        var whole = (await SentAsync(app, 0)).ToArray();
        foreach (var bytes in (int[])[1, 5_000, whole.Length / 2, whole.Length - 12_000])
            await RefusedAsync(there, app, new MemoryStream(whole[..bytes]));
    }

    [NeedsFact]
    public async Task A_tar_with_changed_bytes_is_refused_and_leaves_nothing()
    {
        var there = await fixture.SecondAsync();
        var (_, app) = await BuildAsync();
        var whole = (await SentAsync(app, 0)).ToArray();
        for (var i = whole.Length / 2; i < (whole.Length / 2) + 64; i++)
            whole[i] ^= 0xff;
        await RefusedAsync(there, app, new MemoryStream(whole));
    }

    [NeedsFact]
    public async Task Another_image_than_the_announced_one_is_not_named_after_it()
    {
        var there = await fixture.SecondAsync();
        var (baseImage, app) = await BuildAsync();
        var failure = await Assert.ThrowsAsync<EngineException>(
            async () => await new ImageReceiver(there.Adapter).ReceiveAsync(app, await SentAsync(baseImage, 0), default));
        Assert.Equal(EngineFailure.Rejected, failure.Failure);
        Assert.Null(await there.Adapter.InspectImageAsync($"{_app}:1", default));
    }

    [NeedsFact]
    public async Task A_receiver_without_space_says_so_and_keeps_nothing()
    {
        await using var small = await RunningEngine.StartAsync(podman: false, storageMegabytes: 24);
        await Here.Raw.ImportBusyboxAsync(_base, extra: new string('x', 40 << 20));
        var large = (await Sender.OutlineAsync($"{_base}:1", default))!;
        var refused = await RefusedAsync(small, large, await SentAsync(large, 0));
        Assert.Equal(EngineFailure.DiskFull, refused.Failure);
    }

    private async Task<(ImageOutline Base, ImageOutline App)> BuildAsync()
    {
        await Here.Raw.ImportBusyboxAsync(_base, extra: _base);
        await Here.Raw.CommitAsync(Here, $"{_base}:1", "echo -n 'first ' >/etc/first", $"{_app}-mid");
        await Here.Raw.CommitAsync(Here, $"{_app}-mid:1", "echo -n second >/etc/second", _app);
        return ((await Sender.OutlineAsync($"{_base}:1", default))!, (await Sender.OutlineAsync($"{_app}:1", default))!);
    }

    private Task<string> ContainerAsync() =>
        Here.Adapter.CreateContainerAsync(Definitions.Of(Here, $"c{Guid.NewGuid():N}", $"{_app}:1", "true"), default);

    private async Task<MemoryStream> SentAsync(ImageOutline image, int skip)
    {
        var tar = new MemoryStream();
        await Sender.SendAsync(image, skip, tar, default);
        tar.Position = 0;
        return tar;
    }

    private static async Task<EngineException> RefusedAsync(RunningEngine there, ImageOutline image, Stream tar)
    {
        var before = await FootprintAsync(there);
        var failure = await Assert.ThrowsAsync<EngineException>(() => new ImageReceiver(there.Adapter).ReceiveAsync(image, tar, default));
        Assert.NotEqual(EngineFailure.Unreachable, failure.Failure);
        Assert.NotEmpty(failure.Message);
        Assert.Null(await there.Adapter.InspectImageAsync(image.Id, default));
        Assert.Equal(before, await FootprintAsync(there));
        return failure;
    }

    /// <summary>Images, layers and temporary files of an engine.</summary>
    private static async Task<string> FootprintAsync(RunningEngine there)
    {
        var images = await there.Adapter.ListImagesAsync(default);
        var layers = Entries(there, "image/overlay2/layerdb/sha256");
        var stored = Entries(there, "overlay2");
        var temporary = Entries(there, "tmp");
        return $"{images.Count} images, {layers} layers in {stored} directories, {temporary} temporary files";
    }

    private static int Entries(RunningEngine there, string directory) =>
        Path.Combine(there.StorageDirectory, directory) is var path && Directory.Exists(path) ? Directory.GetFileSystemEntries(path).Length : 0;

    private async Task<string> OutputAsync(RunningEngine there, params string[] command)
    {
        var name = $"c{Guid.NewGuid():N}";
        await there.Adapter.CreateContainerAsync(Definitions.Of(there, name, $"{_app}:1", command), default);
        await new DockerEngineUnderTest(there).RunToEndAsync(name);
        var lines = await new DockerEngineUnderTest(there).LogsAsync(name);
        return string.Concat(lines.Select(line => line.Text));
    }
}
