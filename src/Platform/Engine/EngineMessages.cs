using System.Text.Json.Serialization;

namespace EdgeFirmware.Platform.Engine;

// The parts of the Docker Engine API's messages that the firmware reads or writes, named as the API names them
// (https://docs.docker.com/reference/api/engine/version/v1.41/). Podman fills the same ones.

internal sealed record VersionAnswer(
    string? Version, string? ApiVersion, [property: JsonPropertyName("MinAPIVersion")] string? MinApiVersion, string? Arch, List<VersionComponent>? Components);

internal sealed record VersionComponent(string? Name);

internal sealed record InfoAnswer(
    string? Driver, List<List<string>>? DriverStatus, string? DockerRootDir, bool ExperimentalBuild, bool Rootless);

internal sealed record ErrorAnswer([property: JsonPropertyName("message")] string? Message);

internal sealed record ImageSummary(string? Id, List<string>? RepoTags, long Size);

internal sealed record ImageAnswer(string? Id, List<string>? RepoTags, string? Architecture, long Size, [property: JsonPropertyName("RootFS")] RootFs? RootFs);

internal sealed record RootFs(List<string>? Layers);

/// <summary>One line of the progress that pull and load stream; errors arrive here after the status said 200.</summary>
internal sealed record ProgressLine(
    [property: JsonPropertyName("id")] string? Id,
    [property: JsonPropertyName("status")] string? Status,
    [property: JsonPropertyName("stream")] string? Stream,
    [property: JsonPropertyName("error")] string? Error,
    [property: JsonPropertyName("errorDetail")] ErrorAnswer? ErrorDetail);

internal sealed record CreateRequest(
    string Image, IReadOnlyList<string>? Cmd, List<string> Env, IReadOnlyDictionary<string, string> Labels, HostConfig HostConfig);

internal sealed record HostConfig(
    long Memory,
    long MemorySwap,
    long NanoCpus,
    string? CgroupParent,
    List<MountRequest>? Mounts,
    IReadOnlyList<string>? ExtraHosts,
    RestartPolicy RestartPolicy,
    LogConfig LogConfig);

internal sealed record MountRequest(string Type, string Source, string Target);

internal sealed record RestartPolicy(string Name);

internal sealed record LogConfig(string Type, Dictionary<string, string> Config);

internal sealed record IdAnswer(string? Id);

internal sealed record ContainerAnswer(string? Id, string? Name, ContainerStateAnswer? State, ContainerConfigAnswer? Config);

internal sealed record ContainerStateAnswer(string? Status, int ExitCode, [property: JsonPropertyName("OOMKilled")] bool OomKilled);

internal sealed record ContainerConfigAnswer(string? Image, Dictionary<string, string>? Labels);

internal sealed record ContainerSummary(string? Id, List<string>? Names, string? Image, string? State, Dictionary<string, string>? Labels);

// Unsigned: Podman reports "no limit" as 2^64-1.
internal sealed record StatsAnswer(
    [property: JsonPropertyName("cpu_stats")] CpuStats? Cpu, [property: JsonPropertyName("memory_stats")] MemoryStats? Memory);

internal sealed record CpuStats([property: JsonPropertyName("cpu_usage")] CpuUsage? Usage);

internal sealed record CpuUsage([property: JsonPropertyName("total_usage")] ulong TotalNanoseconds);

internal sealed record MemoryStats(
    [property: JsonPropertyName("usage")] ulong Usage,
    [property: JsonPropertyName("limit")] ulong Limit,
    [property: JsonPropertyName("stats")] MemoryDetail? Detail);

internal sealed record MemoryDetail(
    [property: JsonPropertyName("total_inactive_file")] ulong? TotalInactiveFile, [property: JsonPropertyName("inactive_file")] ulong? InactiveFile);

internal sealed record ExecRequest(bool AttachStdout, bool AttachStderr, IReadOnlyList<string> Cmd);

internal sealed record ExecStart(bool Detach, bool Tty);

internal sealed record ExecAnswer(bool Running, int? ExitCode);

internal sealed record VolumeRequest(string Name, IReadOnlyDictionary<string, string> Labels);

internal sealed record VolumesAnswer(List<VolumeAnswer>? Volumes);

internal sealed record VolumeAnswer(string? Name);

internal sealed record EventLine(string? Type, string? Action, EventActor? Actor);

internal sealed record EventActor([property: JsonPropertyName("ID")] string? Id, Dictionary<string, string>? Attributes);

/// <summary>The value of the API's <c>filters</c> query parameter: filter name → accepted values.</summary>
internal sealed class Filters : Dictionary<string, string[]>;

/// <summary><c>manifest.json</c> of an image tar: one entry an image.</summary>
internal sealed record ArchiveManifest(string? Config, List<string>? Layers);
