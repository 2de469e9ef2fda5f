using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

/// <summary>What the firmware wants of a container, in the words of <c>POST /containers/create</c>. Pure.</summary>
internal static class CreateRequests
{
    public static CreateRequest From(ContainerDefinition wanted, bool podman)
    {
        var environment = new List<string>(wanted.Environment.Count);
        foreach (var (name, value) in wanted.Environment)
            environment.Add($"{name}={value}");
        var host = new HostConfig(
            wanted.MemoryBytesMax,
            // Equal to Memory: no swap. Swapping to an SD card hides a leak and wears the card out.
            MemorySwap: wanted.MemoryBytesMax,
            NanoCpus: (long)(wanted.CpuCoresMax * 1_000_000_000),
            wanted.CgroupParent.Length == 0 ? null : wanted.CgroupParent,
            Mounts(wanted.Volumes),
            wanted.ExtraHosts.Count == 0 ? null : wanted.ExtraHosts,
            // Whether and where it starts again is the firmware's decision: an engine that restarts it could make a second live copy.
            new RestartPolicy("no"),
            podman ? PodmanLog : DockerLog);
        return new CreateRequest(
            wanted.Image, wanted.Command.Count == 0 ? null : wanted.Command, environment, wanted.Labels, host);
    }

    // Bounded logs: by default both engines let them grow until the card is full.
    private static LogConfig DockerLog => new("json-file", new() { ["max-size"] = "1m", ["max-file"] = "2" });

    private static LogConfig PodmanLog => new("k8s-file", new() { ["max-size"] = "1m" });

    /// <summary>Mounts, not binds: a bind's source that begins with a slash would be a host directory.</summary>
    private static List<MountRequest>? Mounts(IReadOnlyDictionary<string, string> volumes)
    {
        if (volumes.Count == 0)
            return null;
        var mounts = new List<MountRequest>(volumes.Count);
        foreach (var (volume, path) in volumes)
            mounts.Add(new MountRequest("volume", volume, path));
        return mounts;
    }
}
