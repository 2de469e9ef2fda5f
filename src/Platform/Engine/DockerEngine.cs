using EdgeFirmware.Contracts.Engine;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Engine;

/// <summary>A container engine behind its unix socket: Docker Engine, or Podman's Docker-compatible service. It connects when first asked and
/// keeps nothing open while idle, so it may be created on a node that has no engine (yet). It never retries and never restarts a container:
/// both are decisions of the firmware.</summary>
public sealed partial class DockerEngine : IContainerEngine, IDisposable
{
    /// <summary>Graph drivers of Docker that look up a layer by its chain before they open its file in an image tar.</summary>
    private static readonly string[] GraphDrivers = ["overlay2", "overlay", "fuse-overlayfs", "vfs", "btrfs", "zfs", "aufs", "devicemapper"];

    private readonly EngineClient _client;
    private readonly TimeProvider _time;

    public DockerEngine(string socketPath, TimeProvider time, ILogger<DockerEngine> log)
    {
        _client = new EngineClient(socketPath, time, log);
        _time = time;
    }

    public void Dispose() => _client.Dispose();

    public async Task<EngineDescription> DescribeAsync(CancellationToken cancel)
    {
        var info = await _client.AskAsync(HttpMethod.Get, "info", null, EngineJson.Default.InfoAnswer, EngineDeadlines.Inspect, cancel);
        var api = await _client.ApiAsync(cancel);
        return new EngineDescription(
            api.Name,
            api.Version,
            api.Architecture,
            LoadsPartialImages: !api.IsPodman && KeepsLayersByChain(info),
            CanCheckpoint: api.IsPodman ? !info.Rootless : info.ExperimentalBuild,
            info.DockerRootDir ?? "");
    }

    /// <summary>Docker with a graph driver keeps layers by chain ID and skips those it has when it loads an image. With the containerd image
    /// store it unpacks blobs and needs all of them; so does Podman ("Some layer tarfiles are missing in the tarball").</summary>
    internal static bool KeepsLayersByChain(InfoAnswer info)
    {
        if (Array.IndexOf(GraphDrivers, info.Driver) < 0)
            return false;
        return info.DriverStatus?.Exists(row => row is ["driver-type", var type, ..] && type.StartsWith("io.containerd.", StringComparison.Ordinal)) != true;
    }

    private static string FilterQuery(string name, string value)
    {
        var filters = new Filters { [name] = [value] };
        return EnginePath.Value(System.Text.Json.JsonSerializer.Serialize(filters, EngineJson.Default.Filters));
    }

    /// <returns><c>null</c> when the object does not exist.</returns>
    private static async Task<T?> UnlessAbsentAsync<T>(Task<T> inspection)
        where T : class
    {
        try
        {
            return await inspection;
        }
        catch (EngineException e) when (e.Failure == EngineFailure.NotFound)
        {
            return null;
        }
    }

    /// <summary>Turns "absent" into nothing to do.</summary>
    private static async Task UnlessAbsentAsync(Task change)
    {
        try
        {
            await change;
        }
        catch (EngineException e) when (e.Failure == EngineFailure.NotFound)
        {
            // The wanted state.
        }
    }
}
