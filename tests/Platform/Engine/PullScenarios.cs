using System.Diagnostics;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>Pulling from a real registry, which listens in the network namespace of the engine.</summary>
[Collection(DockerCollection.Name)]
[Needs("root", "dockerd", "busybox", "docker-registry", "nsenter", "ip")]
public sealed class PullScenarios(DockerFixture fixture) : IAsyncLifetime
{
    private const string Registry = "127.0.0.1:5000";

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"edge-registry-{Guid.NewGuid():N}");
    private Process? _registry;

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_directory);
        var configuration = Path.Combine(_directory, "config.yml");
        await File.WriteAllTextAsync(
            configuration, $"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {_directory}/data\nhttp:\n  addr: {Registry}\n");
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry = new Process
        {
            StartInfo = new ProcessStartInfo(
                "nsenter", ["-t", $"{fixture.Engine.ProcessId}", "-n", NeedsAttribute.Find("docker-registry")!, "serve", configuration])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            },
        };
        DataReceivedEventHandler heard = (_, line) =>
        {
            if (line.Data is null)
                listening.TrySetException(new InvalidOperationException("the registry ended"));
            else if (line.Data.Contains("listening on", StringComparison.Ordinal))
                listening.TrySetResult();
        };
        _registry.ErrorDataReceived += heard;
        _registry.OutputDataReceived += heard;
        _registry.Start();
        _registry.BeginErrorReadLine();
        _registry.BeginOutputReadLine();
        await listening.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async Task DisposeAsync()
    {
        _registry!.Kill();
        await _registry.WaitForExitAsync();
        _registry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [NeedsFact]
    public async Task A_pulled_image_is_the_one_that_was_pushed_and_progress_has_no_repetition()
    {
        var engine = fixture.Engine;
        var name = $"{Registry}/pulled{Guid.NewGuid():N}";
        await engine.Raw.ImportBusyboxAsync(name, extra: name);
        var pushed = await engine.Adapter.InspectImageAsync($"{name}:1", default);
        await engine.Raw.PushAsync(name);
        await engine.Adapter.RemoveImageAsync($"{name}:1", default);
        Assert.Null(await engine.Adapter.InspectImageAsync($"{name}:1", default));

        var lines = new Lines();
        await engine.Adapter.PullImageAsync($"{name}:1", lines, default);
        Assert.Equal(pushed!.Id, (await engine.Adapter.InspectImageAsync($"{name}:1", default))?.Id);
        Assert.Contains(lines.All, line => line.EndsWith("Pull complete", StringComparison.Ordinal));
        Assert.Equal(lines.All.Distinct(), lines.All);
    }

    [NeedsFact]
    public async Task An_image_that_the_registry_does_not_have_is_not_found()
    {
        var failure = await Assert.ThrowsAsync<EngineException>(
            () => fixture.Engine.Adapter.PullImageAsync($"{Registry}/absent:1", null, default));
        Assert.Equal(EngineFailure.NotFound, failure.Failure);
    }

    private sealed class Lines : IProgress<string>
    {
        public List<string> All { get; } = [];

        public void Report(string value) => All.Add(value);
    }
}
