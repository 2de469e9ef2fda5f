using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

public sealed partial class DockerEngine
{
    public async Task<IReadOnlyList<ImageDescription>> ListImagesAsync(CancellationToken cancel)
    {
        var listed = await _client.AskAsync(
            HttpMethod.Get, "images/json", null, EngineJson.Default.ListImageSummary, EngineDeadlines.Inspect, cancel);
        var podman = (await _client.ApiAsync(cancel)).IsPodman;
        return listed.ConvertAll(image => new ImageDescription(image.Id ?? "", Named(image.RepoTags, podman), "", image.Size, []));
    }

    public async Task<ImageDescription?> InspectImageAsync(string reference, CancellationToken cancel)
    {
        var image = await UnlessAbsentAsync(_client.AskAsync(
            HttpMethod.Get, $"images/{EnginePath.Reference(reference)}/json", null, EngineJson.Default.ImageAnswer, EngineDeadlines.Inspect, cancel));
        if (image is null)
            return null;
        var podman = (await _client.ApiAsync(cancel)).IsPodman;
        return new ImageDescription(
            image.Id ?? "", Named(image.RepoTags, podman), image.Architecture ?? "", image.Size, image.RootFs?.Layers ?? []);
    }

    public async Task PullImageAsync(string reference, IProgress<string>? progress, CancellationToken cancel)
    {
        var name = ImageReference.Parse(reference);
        var query = name.Digest is { } digest
            ? $"fromImage={EnginePath.Value($"{name.Repository}@{digest}")}"
            : $"fromImage={EnginePath.Value(name.Repository)}&tag={EnginePath.Value(name.Tag ?? "latest")}";
        await using var answer = await _client.OpenAsync(HttpMethod.Post, $"images/create?{query}", null, cancel);
        var lastStates = new Dictionary<string, string>();
        await foreach (var line in ProgressAsync(answer, cancel))
        {
            var text = line.Status ?? line.Stream?.TrimEnd();
            if (progress is null || string.IsNullOrEmpty(text))
                continue;
            // A download repeats its state with every few kB: only changes are news.
            var layer = line.Id ?? "";
            if (lastStates.TryGetValue(layer, out var last) && last == text)
                continue;
            lastStates[layer] = text;
            progress.Report(layer.Length == 0 ? text : $"{layer}: {text}");
        }
    }

    public Task<Stream> SaveImageAsync(string reference, CancellationToken cancel) =>
        _client.OpenAsync(HttpMethod.Get, $"images/{EnginePath.Reference(reference)}/get", null, cancel);

    public async Task LoadImageAsync(Stream tar, CancellationToken cancel)
    {
        using var upload = new EngineUpload(tar);
        // quiet: the answer stays small, so the engine never waits for us to read it while we wait for it to read the tar.
        await using var answer = await _client.OpenAsync(HttpMethod.Post, "images/load?quiet=1", upload, cancel);
        var loaded = false;
        await foreach (var line in ProgressAsync(answer, cancel))
            loaded |= line.Stream?.Contains("Loaded image", StringComparison.Ordinal) == true;
        if (!loaded)
            throw new EngineException(EngineFailure.Rejected, "the tar held no image");
    }

    public Task TagImageAsync(string imageId, string reference, CancellationToken cancel)
    {
        var name = ImageReference.Parse(reference);
        var query = $"repo={EnginePath.Value(name.Repository)}&tag={EnginePath.Value(name.Tag ?? "latest")}";
        return _client.TellAsync(HttpMethod.Post, $"images/{EnginePath.Reference(imageId)}/tag?{query}", null, EngineDeadlines.Change, cancel);
    }

    public Task RemoveImageAsync(string reference, CancellationToken cancel) => UnlessAbsentAsync(
        _client.TellAsync(HttpMethod.Delete, $"images/{EnginePath.Reference(reference)}", null, EngineDeadlines.Change, cancel));

    private async IAsyncEnumerable<ProgressLine> ProgressAsync(
        Stream answer, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var line in JsonLines.ReadAsync(answer, EngineJson.Default.ProgressLine, _client.Socket, cancel))
        {
            if (line.ErrorDetail?.Message is { Length: > 0 } message)
                throw EngineFailures.FromProgress(message);
            if (line.Error is { Length: > 0 } error)
                throw EngineFailures.FromProgress(error);
            yield return line;
        }
    }

    private static List<string> Named(List<string>? references, bool podman)
    {
        var named = new List<string>();
        foreach (var reference in references ?? [])
            if (reference != "<none>:<none>")
                named.Add(ImageReference.Familiar(reference, podman));
        return named;
    }
}
