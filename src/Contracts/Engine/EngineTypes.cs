namespace EdgeFirmware.Contracts.Engine;

/// <summary>The engine refused, failed or cannot be reached.</summary>
public sealed class EngineException : Exception
{
    public EngineException(EngineFailure failure, string message, Exception? inner = null) : base(message, inner) => Failure = failure;

    public EngineFailure Failure { get; }
}

public enum EngineFailure
{
    /// <summary>No socket, nobody listening, connection lost, or no answer in time.</summary>
    Unreachable,

    /// <summary>The named object does not exist.</summary>
    NotFound,

    /// <summary>The name is in use, or the object is in the wrong state.</summary>
    Conflict,

    /// <summary>The engine says that the request is wrong.</summary>
    Rejected,

    /// <summary>No space left on the engine's storage.</summary>
    DiskFull,

    /// <summary>Anything else that the engine reports.</summary>
    Failed,
}

/// <param name="Name"><c>Docker</c> or <c>Podman</c>.</param>
/// <param name="Architecture">As the engine names it: <c>amd64</c>, <c>arm64</c>, <c>arm</c>.</param>
/// <param name="LoadsPartialImages">A layer the engine has already may be left out of an image tar.</param>
/// <param name="CanCheckpoint">The engine offers checkpoint and restore; whether CRIU works here is found out by trying.</param>
/// <param name="StorageDirectory">Where images and containers lie, for the free-space figure.</param>
public sealed record EngineDescription(
    string Name, string Version, string Architecture, bool LoadsPartialImages, bool CanCheckpoint, string StorageDirectory);

/// <param name="Id">Config digest, <c>sha256:…</c>: equal on every node that holds the same image.</param>
/// <param name="LayerDigests">Uncompressed layer digests (<c>rootfs.diff_ids</c>), base first. Empty in lists from engines that omit them.</param>
public sealed record ImageDescription(
    string Id, IReadOnlyList<string> References, string Architecture, long SizeBytes, IReadOnlyList<string> LayerDigests);

/// <param name="MemoryBytesMax">0 = no limit.</param>
/// <param name="Volumes">Volume name → path in the container.</param>
/// <param name="CgroupParent">Empty = the engine's default.</param>
/// <param name="CpuCoresMax">Hard CPU quota in cores; 0 = no limit.</param>
public sealed record ContainerDefinition(
    string Name,
    string Image,
    IReadOnlyList<string> Command,
    IReadOnlyDictionary<string, string> Environment,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyDictionary<string, string> Volumes,
    IReadOnlyList<string> ExtraHosts,
    long MemoryBytesMax,
    double CpuCoresMax,
    string CgroupParent);

public enum ContainerState
{
    Created,
    Running,
    Paused,
    Restarting,
    Exited,
    Dead,
}

public sealed record ContainerDescription(
    string Id,
    string Name,
    string Image,
    ContainerState State,
    int? ExitCode,
    bool OutOfMemoryKilled,
    IReadOnlyDictionary<string, string> Labels);

public sealed record LogLine(bool IsError, string Text);

/// <param name="CpuNanoseconds">CPU time used since the container started.</param>
public sealed record ContainerUsage(long CpuNanoseconds, long MemoryBytes, long MemoryBytesMax);

public sealed record ExecOutcome(int ExitCode, string Output, string Error);

/// <param name="Action"><c>start</c>, <c>die</c>, <c>oom</c>, <c>destroy</c>, … as the engine names it.</param>
public sealed record EngineEvent(string Action, string ContainerId, IReadOnlyDictionary<string, string> Attributes);
