using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Tests.Images;

/// <summary>An engine that can only save one image, from bytes; it counts how often it had to.</summary>
internal sealed class SavedImageEngine(byte[] tar) : UselessEngine
{
    public int Saves { get; private set; }

    public override Task<Stream> SaveImageAsync(string reference, CancellationToken cancel)
    {
        Saves++;
        return Task.FromResult<Stream>(new MemoryStream(tar));
    }
}

/// <summary>Fails on every call.</summary>
internal class UselessEngine : IContainerEngine
{
    public virtual Task<EngineDescription> DescribeAsync(CancellationToken cancel) => throw Refused();

    public virtual Task<IReadOnlyList<ImageDescription>> ListImagesAsync(CancellationToken cancel) => throw Refused();

    public virtual Task<ImageDescription?> InspectImageAsync(string reference, CancellationToken cancel) => throw Refused();

    public virtual Task PullImageAsync(string reference, IProgress<string>? progress, CancellationToken cancel) => throw Refused();

    public virtual Task<Stream> SaveImageAsync(string reference, CancellationToken cancel) => throw Refused();

    public virtual Task LoadImageAsync(Stream tar, CancellationToken cancel) => throw Refused();

    public virtual Task TagImageAsync(string imageId, string reference, CancellationToken cancel) => throw Refused();

    public virtual Task RemoveImageAsync(string reference, CancellationToken cancel) => throw Refused();

    public virtual Task<string> CreateContainerAsync(ContainerDefinition definition, CancellationToken cancel) => throw Refused();

    public virtual Task StartContainerAsync(string container, CancellationToken cancel) => throw Refused();

    public virtual Task StopContainerAsync(string container, TimeSpan grace, CancellationToken cancel) => throw Refused();

    public virtual Task KillContainerAsync(string container, string signal, CancellationToken cancel) => throw Refused();

    public virtual Task RemoveContainerAsync(string container, CancellationToken cancel) => throw Refused();

    public virtual Task<ContainerDescription?> InspectContainerAsync(string container, CancellationToken cancel) => throw Refused();

    public virtual Task<IReadOnlyList<ContainerDescription>> ListContainersAsync(string label, CancellationToken cancel) => throw Refused();

    public virtual IAsyncEnumerable<LogLine> ReadLogsAsync(string container, int? tail, bool follow, CancellationToken cancel) => throw Refused();

    public virtual Task<ContainerUsage> ReadUsageAsync(string container, CancellationToken cancel) => throw Refused();

    public virtual Task<ExecOutcome> ExecuteAsync(string container, IReadOnlyList<string> command, CancellationToken cancel) => throw Refused();

    public virtual Task<Stream> CopyOutAsync(string container, string path, CancellationToken cancel) => throw Refused();

    public virtual Task CopyInAsync(string container, string directory, Stream tar, CancellationToken cancel) => throw Refused();

    public virtual Task FlushAsync(CancellationToken cancel) => throw Refused();

    public virtual Task CreateVolumeAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancel) => throw Refused();

    public virtual Task<IReadOnlyList<string>> ListVolumesAsync(string label, CancellationToken cancel) => throw Refused();

    public virtual Task RemoveVolumeAsync(string name, CancellationToken cancel) => throw Refused();

    public virtual IAsyncEnumerable<EngineEvent> WatchAsync(CancellationToken cancel) => throw Refused();

    private static EngineException Refused() => new(EngineFailure.Failed, "this engine does nothing");
}
