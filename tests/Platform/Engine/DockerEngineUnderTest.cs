using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>Steps that several scenarios share.</summary>
internal sealed class DockerEngineUnderTest(RunningEngine running)
{
    public Task<string> CreateAsync(string name, params string[] command) =>
        running.Adapter.CreateContainerAsync(Definitions.Of(running, name, "box:1", command), default);

    public async Task StartSleepingAsync(string name, long memoryBytesMax = 0)
    {
        var definition = Definitions.Of(running, name, "box:1", "sleep", "1000") with { MemoryBytesMax = memoryBytesMax };
        await running.Adapter.CreateContainerAsync(definition, default);
        await running.Adapter.StartContainerAsync(name, default);
    }

    public async Task RunToEndAsync(string name, bool wait = true)
    {
        await running.Adapter.StartContainerAsync(name, default);
        if (wait)
            await running.Raw.PostAsync($"containers/{name}/wait");
    }

    public async Task<List<LogLine>> LogsAsync(string name, int? tail = null)
    {
        var lines = new List<LogLine>();
        await foreach (var line in running.Adapter.ReadLogsAsync(name, tail, follow: false, default))
            lines.Add(line);
        return lines;
    }
}
