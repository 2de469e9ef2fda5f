using EdgeFirmware.Platform.Images;
using EdgeFirmware.Platform.Tests.Engine;

namespace EdgeFirmware.Platform.Tests.Images;

/// <summary>A site with both engines: images go from Docker to Podman, which takes only whole ones, and back.</summary>
[Collection(DockerCollection.Name)]
[Needs("root", "dockerd", "podman", "runc", "busybox")]
public sealed class MixedEngineScenarios(DockerFixture fixture) : IAsyncLifetime
{
    private RunningEngine? _podman;

    public async Task InitializeAsync() => _podman = await RunningEngine.StartAsync(podman: true);

    public async Task DisposeAsync() => await _podman!.DisposeAsync();

    [NeedsFact]
    public async Task An_image_goes_to_podman_whole_and_comes_back_without_its_base()
    {
        var docker = fixture.Engine;
        var podman = _podman!;
        var name = $"mixed{Guid.NewGuid():N}";
        await docker.Raw.ImportBusyboxAsync($"{name}-base", extra: name);
        await docker.Raw.CommitAsync(docker, $"{name}-base:1", "echo docker >/etc/origin", name);

        var outline = await new ImageSender(docker.Adapter).OutlineAsync($"{name}:1", default);
        var atPodman = new ImageReceiver(podman.Adapter);
        await MoveAsync(docker, atPodman, outline!, 0);
        Assert.True((await atPodman.FindAsync(outline!, default)).IsHere);

        var baseOutline = await new ImageSender(docker.Adapter).OutlineAsync($"{name}-base:1", default);
        await MoveAsync(docker, atPodman, baseOutline!, 0);
        await podman.Raw.CommitAsync(podman, $"{name}:1", "echo podman >/etc/third", $"{name}-back");
        var back = await new ImageSender(podman.Adapter).OutlineAsync($"{name}-back:1", default);
        Assert.Equal(outline!.LayerDigests, back!.LayerDigests.Take(2));

        var atDocker = new ImageReceiver(docker.Adapter);
        Assert.Equal(new ImagePresence(false, 2), await atDocker.FindAsync(back, default));
        await MoveAsync(podman, atDocker, back, 2);
        Assert.Equal(back.Id, (await docker.Adapter.InspectImageAsync($"{name}-back:1", default))?.Id);
    }

    [NeedsFact]
    public async Task Podman_never_asks_for_a_part_even_when_it_has_the_base()
    {
        var docker = fixture.Engine;
        var name = $"mixed{Guid.NewGuid():N}";
        await docker.Raw.ImportBusyboxAsync($"{name}-base", extra: name);
        await docker.Raw.CommitAsync(docker, $"{name}-base:1", "echo docker >/etc/origin", name);
        var atPodman = new ImageReceiver(_podman!.Adapter);
        var sender = new ImageSender(docker.Adapter);
        await MoveAsync(docker, atPodman, (await sender.OutlineAsync($"{name}-base:1", default))!, 0);
        var app = await sender.OutlineAsync($"{name}:1", default);
        Assert.Equal(new ImagePresence(false, 0), await atPodman.FindAsync(app!, default));
        var refused = await Assert.ThrowsAsync<Contracts.Engine.EngineException>(() => MoveAsync(docker, atPodman, app!, 1));
        Assert.Contains("a layer it leaves out is not here", refused.Message, StringComparison.Ordinal);
    }

    private static async Task MoveAsync(RunningEngine from, ImageReceiver to, ImageOutline image, int skip)
    {
        using var tar = new MemoryStream();
        await new ImageSender(from.Adapter).SendAsync(image, skip, tar, default);
        tar.Position = 0;
        await to.ReceiveAsync(image, tar, default);
    }
}
