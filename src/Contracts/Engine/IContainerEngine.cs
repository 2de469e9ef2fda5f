namespace EdgeFirmware.Contracts.Engine;

/// <summary>A Docker-compatible container engine on this node (Docker Engine API 1.41 or Podman's compatible socket). Every method throws
/// <see cref="EngineException"/> when the engine cannot be reached or says no; an absent object is <c>null</c> or a no-op where stated.</summary>
public interface IContainerEngine
{
    Task<EngineDescription> DescribeAsync(CancellationToken cancel);

    Task<IReadOnlyList<ImageDescription>> ListImagesAsync(CancellationToken cancel);

    /// <returns><c>null</c> when the engine has no such image.</returns>
    Task<ImageDescription?> InspectImageAsync(string reference, CancellationToken cancel);

    /// <summary>Fetches from the registry the reference names; <paramref name="progress"/> gets one line per state change.</summary>
    Task PullImageAsync(string reference, IProgress<string>? progress, CancellationToken cancel);

    /// <summary>The image as the tar of <c>docker save</c>. The caller disposes the stream; it is never held in memory.</summary>
    Task<Stream> SaveImageAsync(string reference, CancellationToken cancel);

    /// <summary>Reads the tar of <c>docker save</c>. Layers the engine already has may be absent where
    /// <see cref="EngineDescription.LoadsPartialImages"/> is set.</summary>
    Task LoadImageAsync(Stream tar, CancellationToken cancel);

    /// <summary>Points another reference at an image.</summary>
    Task TagImageAsync(string imageId, string reference, CancellationToken cancel);

    /// <summary>No-op when absent.</summary>
    Task RemoveImageAsync(string reference, CancellationToken cancel);

    /// <returns>The engine's container ID.</returns>
    Task<string> CreateContainerAsync(ContainerDefinition definition, CancellationToken cancel);

    Task StartContainerAsync(string container, CancellationToken cancel);

    /// <summary>SIGTERM, then SIGKILL after <paramref name="grace"/> (whole seconds). No-op when it is not running or absent.</summary>
    Task StopContainerAsync(string container, TimeSpan grace, CancellationToken cancel);

    /// <summary>No-op when it is not running or absent.</summary>
    Task KillContainerAsync(string container, string signal, CancellationToken cancel);

    /// <summary>Removes it by force, with its anonymous volumes. No-op when absent.</summary>
    Task RemoveContainerAsync(string container, CancellationToken cancel);

    /// <returns><c>null</c> when absent.</returns>
    Task<ContainerDescription?> InspectContainerAsync(string container, CancellationToken cancel);

    /// <summary>Containers in any state that carry the label (<c>key</c> or <c>key=value</c>).</summary>
    Task<IReadOnlyList<ContainerDescription>> ListContainersAsync(string label, CancellationToken cancel);

    /// <param name="tail">Lines from the end; <c>null</c> for all.</param>
    IAsyncEnumerable<LogLine> ReadLogsAsync(string container, int? tail, bool follow, CancellationToken cancel);

    Task<ContainerUsage> ReadUsageAsync(string container, CancellationToken cancel);

    Task<ExecOutcome> ExecuteAsync(string container, IReadOnlyList<string> command, CancellationToken cancel);

    /// <summary>A path inside a container, running or not, volumes included, as a tar stream.</summary>
    Task<Stream> CopyOutAsync(string container, string path, CancellationToken cancel);

    /// <summary>Extracts a tar under a directory of a container, running or not, volumes included.</summary>
    Task CopyInAsync(string container, string directory, Stream tar, CancellationToken cancel);

    Task CreateVolumeAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancel);

    Task<IReadOnlyList<string>> ListVolumesAsync(string label, CancellationToken cancel);

    /// <summary>No-op when absent.</summary>
    Task RemoveVolumeAsync(string name, CancellationToken cancel);

    /// <summary>Returns once images and volumes as they are now survive a power cut.</summary>
    Task FlushAsync(CancellationToken cancel);

    /// <summary>Container events from now on, until cancelled or the engine goes away (then <see cref="EngineException"/>).</summary>
    IAsyncEnumerable<EngineEvent> WatchAsync(CancellationToken cancel);
}
