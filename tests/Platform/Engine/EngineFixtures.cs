namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>One engine for all scenarios of a kind. Does nothing where the engine is not installed: its tests are skipped then.</summary>
public abstract class EngineFixture(bool podman, params string[] needs) : IAsyncLifetime
{
    private RunningEngine? _engine;
    private RunningEngine? _second;

    public RunningEngine Engine => _engine ?? throw new InvalidOperationException("the engine is not installed");

    public async Task InitializeAsync()
    {
        if (NeedsAttribute.Missing(needs) is not null)
            return;
        _engine = await RunningEngine.StartAsync(podman);
        await _engine.Raw.ImportBusyboxAsync("box");
    }

    public async Task DisposeAsync()
    {
        if (_second is not null)
            await _second.DisposeAsync();
        if (_engine is not null)
            await _engine.DisposeAsync();
    }

    /// <summary>Another engine of the same kind, without images, started when first asked for.</summary>
    public async Task<RunningEngine> SecondAsync() => _second ??= await RunningEngine.StartAsync(podman);
}

public sealed class DockerFixture() : EngineFixture(podman: false, "root", "dockerd", "busybox");

public sealed class PodmanFixture() : EngineFixture(podman: true, "root", "podman", "runc", "busybox");

[CollectionDefinition(Name)]
public sealed class DockerCollection : ICollectionFixture<DockerFixture>
{
    public const string Name = "docker";
}

[CollectionDefinition(Name)]
public sealed class PodmanCollection : ICollectionFixture<PodmanFixture>
{
    public const string Name = "podman";
}
