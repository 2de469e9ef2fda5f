namespace EdgeFirmware.Platform.Resources;

/// <summary>The firmware's own cgroup for one controller and all above it, as far as they can be seen.</summary>
/// <param name="IsV2">Which names the files have.</param>
/// <param name="Directories">Nearest first; the last is the mount point. Absolute paths of the system that the texts come from.</param>
internal sealed record CgroupChain(bool IsV2, IReadOnlyList<string> Directories)
{
    /// <summary>Deeper than any container nesting.</summary>
    private const int DepthMax = 64;

    /// <param name="mountinfo"><c>/proc/self/mountinfo</c> (proc(5)).</param>
    /// <param name="membership"><c>/proc/self/cgroup</c> (cgroups(7)).</param>
    /// <param name="controller"><c>cpu</c>, <c>cpuacct</c> or <c>memory</c>.</param>
    /// <returns><c>null</c> where no such hierarchy is mounted.</returns>
    public static CgroupChain? Find(string mountinfo, string membership, string controller)
    {
        // On a hybrid system a controller is in one of the two, and a v1 mount tells that it is there.
        if (Membership(membership, controller) is { } v1 && Mount(mountinfo, "cgroup", controller) is { } mount1)
            return new CgroupChain(false, Upwards(mount1, v1));
        if (Membership(membership, "") is { } v2 && Mount(mountinfo, "cgroup2", null) is { } mount2)
            return new CgroupChain(true, Upwards(mount2, v2));
        return null;
    }

    /// <summary>Lines are <c>hierarchy:controller,controller:path</c>; v2 is <c>0::path</c>.</summary>
    private static string? Membership(string membership, string controller)
    {
        foreach (var line in membership.Split('\n'))
        {
            var parts = line.Split(':', 3);
            if (parts.Length == 3 && (controller.Length == 0 ? parts[0] == "0" && parts[1].Length == 0 : Lists(parts[1], controller)))
                return parts[2];
        }
        return null;
    }

    /// <summary>Lines are <c>id parent device root point options… - type source superoptions</c>.</summary>
    private static CgroupMount? Mount(string mountinfo, string type, string? controller)
    {
        foreach (var line in mountinfo.Split('\n'))
        {
            var dash = line.IndexOf(" - ", StringComparison.Ordinal);
            if (dash < 0)
                continue;
            var left = line[..dash].Split(' ');
            var right = line[(dash + 3)..].Split(' ');
            if (left.Length >= 5 && right.Length >= 3 && right[0] == type && (controller is null || Lists(right[2], controller)))
                return new CgroupMount(Plain(left[3]), Plain(left[4]));
        }
        return null;
    }

    /// <summary>In a container the mount's root is the container's cgroup, and the membership may be told from the host's root, from the
    /// container's (<c>/</c>), or lie outside (<c>/..</c>): in the last case the mount point is the nearest that can be seen.</summary>
    private static List<string> Upwards(CgroupMount mount, string path)
    {
        var below = "";
        if (mount.Root == "/")
            below = path;
        else if (path.StartsWith($"{mount.Root}/", StringComparison.Ordinal))
            below = path[mount.Root.Length..];
        if (below.StartsWith("/..", StringComparison.Ordinal))
            below = "";
        below = below.TrimEnd('/');
        var directories = new List<string>();
        while (below.Length > 0 && directories.Count < DepthMax)
        {
            directories.Add(mount.Point + below);
            below = below[..below.LastIndexOf('/')];
        }
        directories.Add(mount.Point);
        return directories;
    }

    private static bool Lists(string commaSeparated, string item) => Array.IndexOf(commaSeparated.Split(','), item) >= 0;

    /// <summary>mountinfo writes a space as <c>\040</c>.</summary>
    private static string Plain(string field) => field.Replace("\\040", " ", StringComparison.Ordinal);

    private readonly record struct CgroupMount(string Root, string Point);
}
