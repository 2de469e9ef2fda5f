using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

public sealed partial class DockerEngine
{
    public async Task<string> CreateContainerAsync(ContainerDefinition definition, CancellationToken cancel)
    {
        var podman = (await _client.ApiAsync(cancel)).IsPodman;
        var request = EngineClient.Json(CreateRequests.From(definition, podman), EngineJson.Default.CreateRequest);
        var created = await _client.AskAsync(
            HttpMethod.Post, $"containers/create?name={EnginePath.Segment(definition.Name)}", request,
            EngineJson.Default.IdAnswer, EngineDeadlines.Change, cancel);
        return created.Id is { Length: > 0 } id ? id : throw EngineFailures.Nonsense(_client.Socket, "a created container without an ID");
    }

    public Task StartContainerAsync(string container, CancellationToken cancel) =>
        _client.TellAsync(HttpMethod.Post, $"{At(container)}/start", null, EngineDeadlines.Change, cancel);

    public Task StopContainerAsync(string container, TimeSpan grace, CancellationToken cancel) => UnlessAbsentAsync(_client.TellAsync(
        HttpMethod.Post, $"{At(container)}/stop?t={Math.Ceiling(grace.TotalSeconds):0}", null, grace + EngineDeadlines.StopSlack, cancel));

    public async Task KillContainerAsync(string container, string signal, CancellationToken cancel)
    {
        try
        {
            await UnlessAbsentAsync(_client.TellAsync(
                HttpMethod.Post, $"{At(container)}/kill?signal={EnginePath.Value(signal)}", null, EngineDeadlines.Change, cancel));
        }
        catch (EngineException e) when (e.Failure == EngineFailure.Conflict)
        {
            // It is not running.
        }
    }

    public Task RemoveContainerAsync(string container, CancellationToken cancel) => UnlessAbsentAsync(
        _client.TellAsync(HttpMethod.Delete, $"{At(container)}?force=1&v=1", null, EngineDeadlines.Change, cancel));

    public async Task<ContainerDescription?> InspectContainerAsync(string container, CancellationToken cancel)
    {
        var answer = await UnlessAbsentAsync(_client.AskAsync(
            HttpMethod.Get, $"{At(container)}/json", null, EngineJson.Default.ContainerAnswer, EngineDeadlines.Inspect, cancel));
        if (answer is null)
            return null;
        var podman = (await _client.ApiAsync(cancel)).IsPodman;
        var state = ContainerStates.Parse(answer.State?.Status);
        return new ContainerDescription(
            answer.Id ?? "",
            (answer.Name ?? "").TrimStart('/'),
            ImageReference.Familiar(answer.Config?.Image ?? "", podman),
            state,
            ContainerStates.HasEnded(state) ? answer.State?.ExitCode : null,
            answer.State?.OomKilled == true,
            answer.Config?.Labels ?? []);
    }

    public async Task<IReadOnlyList<ContainerDescription>> ListContainersAsync(string label, CancellationToken cancel)
    {
        var listed = await _client.AskAsync(
            HttpMethod.Get, $"containers/json?all=1&filters={FilterQuery("label", label)}", null,
            EngineJson.Default.ListContainerSummary, EngineDeadlines.Inspect, cancel);
        var podman = (await _client.ApiAsync(cancel)).IsPodman;
        var containers = new List<ContainerDescription>(listed.Count);
        foreach (var summary in listed)
        {
            var state = ContainerStates.Parse(summary.State);
            if (!ContainerStates.HasEnded(state))
            {
                var name = summary.Names is [var first, ..] ? first.TrimStart('/') : "";
                var image = ImageReference.Familiar(summary.Image ?? "", podman);
                containers.Add(new ContainerDescription(summary.Id ?? "", name, image, state, null, false, summary.Labels ?? []));
            }
            // The list says neither the exit code nor why it ended. It may be gone by now.
            else if (await InspectContainerAsync(summary.Id ?? "", cancel) is { } ended)
            {
                containers.Add(ended);
            }
        }
        return containers;
    }

    public async Task<ContainerUsage> ReadUsageAsync(string container, CancellationToken cancel)
    {
        var stats = await _client.AskOrNothingAsync(
            HttpMethod.Get, $"{At(container)}/stats?stream=false&one-shot=true", EngineJson.Default.StatsAnswer, EngineDeadlines.Inspect, cancel);
        // A container that does not run: Podman answers nothing, Docker zeros.
        if (stats is not { Memory: { } memory, Cpu.Usage: { } cpu } || (memory.Usage == 0 && cpu.TotalNanoseconds == 0))
            throw new EngineException(EngineFailure.Conflict, $"container {container} is not running");
        // As `docker stats` has it: file pages that nobody touched for a while are not in use.
        var inactive = memory.Detail?.TotalInactiveFile ?? memory.Detail?.InactiveFile ?? 0;
        var used = memory.Usage > inactive ? memory.Usage - inactive : memory.Usage;
        return new ContainerUsage(Clamped(cpu.TotalNanoseconds), Clamped(used), memory.Limit >= 1UL << 60 ? 0 : (long)memory.Limit);
    }

    public Task<Stream> CopyOutAsync(string container, string path, CancellationToken cancel) =>
        _client.OpenAsync(HttpMethod.Get, $"{At(container)}/archive?path={EnginePath.Value(path)}", null, cancel);

    public async Task CopyInAsync(string container, string directory, Stream tar, CancellationToken cancel)
    {
        using var upload = new EngineUpload(tar);
        // Owners as in the tar: a moved volume keeps its files' owners.
        await using var answer = await _client.OpenAsync(
            HttpMethod.Put, $"{At(container)}/archive?path={EnginePath.Value(directory)}&copyUIDGID=false", upload, cancel);
    }

    private static string At(string container) => $"containers/{EnginePath.Segment(container)}";

    private static long Clamped(ulong value) => (long)Math.Min(value, long.MaxValue);
}
