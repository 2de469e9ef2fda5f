using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Engine;

public sealed partial class DockerEngine
{
    public Task CreateVolumeAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancel) => _client.TellAsync(
        HttpMethod.Post, "volumes/create", EngineClient.Json(new VolumeRequest(name, labels), EngineJson.Default.VolumeRequest),
        EngineDeadlines.Change, cancel);

    /// <summary>sync(2): the engine writes into files whose places it does not tell, and its API has no word for this. Seconds on a card.</summary>
    public Task FlushAsync(CancellationToken cancel) => Task.Run(SyncNative, cancel);

    [LibraryImport("libc", EntryPoint = "sync")]
    private static partial void SyncNative();

    public async Task<IReadOnlyList<string>> ListVolumesAsync(string label, CancellationToken cancel)
    {
        var listed = await _client.AskAsync(
            HttpMethod.Get, $"volumes?filters={FilterQuery("label", label)}", null,
            EngineJson.Default.VolumesAnswer, EngineDeadlines.Inspect, cancel);
        var names = new List<string>();
        foreach (var volume in listed.Volumes ?? [])
            if (volume.Name is { } name)
                names.Add(name);
        return names;
    }

    public Task RemoveVolumeAsync(string name, CancellationToken cancel) => UnlessAbsentAsync(
        _client.TellAsync(HttpMethod.Delete, $"volumes/{EnginePath.Segment(name)}", null, EngineDeadlines.Change, cancel));
}
