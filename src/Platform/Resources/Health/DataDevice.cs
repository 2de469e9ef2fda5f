namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>The block device behind the data directory, and the whole disk it is on. Allocates; looked for now and then.</summary>
/// <param name="Name">Of what the filesystem is on: <c>mmcblk0p2</c>, <c>dm-0</c>; empty when it is on none (tmpfs, network, raw flash).</param>
/// <param name="Disk">The disk's directory in sysfs, with <c>stat</c>; empty when there is none.</param>
/// <param name="ReadOnly">The filesystem takes no writes.</param>
internal sealed record DataDevice(string Name, string Disk, bool ReadOnly)
{
    public static readonly DataDevice None = new("", "", false);

    /// <summary>Overlay on overlay, a mapper on a mapper; links of a path.</summary>
    private const int DepthMax = 8;

    /// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
    /// <param name="directory">Absolute.</param>
    public static DataDevice Find(string root, string directory)
    {
        var mountinfo = TextFile.Read($"{root}/proc/self/mountinfo");
        if (Mount.Holding(mountinfo, RealPath(root, directory)) is not { } mount)
            return None;
        var readOnly = mount.ReadOnly;
        // In a container or on a read-only image the writes go to the upper directory's filesystem, if it can be seen from here.
        for (var depth = 0; mount.Type == "overlay" && depth < DepthMax; depth++)
        {
            if (mount.Option("upperdir") is not { Length: > 0 } upper || Mount.Holding(mountinfo, upper) is not { } below)
                break;
            mount = below;
        }
        var place = Place(root, mount);
        return place.Length == 0 ? None with { ReadOnly = readOnly } : new DataDevice(Path.GetFileName(place), Whole(place), readOnly);
    }

    private static string Place(string root, Mount mount)
    {
        if (!mount.Device.StartsWith("0:", StringComparison.Ordinal))
            return TextFile.Follow($"{root}/sys/dev/block/{mount.Device}");
        // btrfs has a device number of its own, and names the device it was mounted from.
        if (!mount.Source.StartsWith("/dev/", StringComparison.Ordinal))
            return "";
        return TextFile.Follow($"{root}/sys/class/block/{Path.GetFileName(TextFile.Follow(root + mount.Source))}");
    }

    /// <summary>A partition's directory is inside its disk's (Documentation/ABI/testing/sysfs-block); a mapper lists what it is made of.</summary>
    private static string Whole(string place)
    {
        for (var depth = 0; depth < DepthMax; depth++)
            if (File.Exists($"{place}/partition"))
                place = Path.GetDirectoryName(place)!;
            else if (TextFile.Entries($"{place}/slaves") is [var slave, ..] && TextFile.Follow($"{place}/slaves/{slave}") is { Length: > 0 } below)
                place = below;
            else
                break;
        return place;
    }

    /// <summary>realpath(3), for a directory that may be a link or lie below one.</summary>
    private static string RealPath(string root, string directory)
    {
        var resolved = "";
        var links = 0;
        var rest = new Stack<string>();
        Push(rest, directory);
        while (rest.TryPop(out var part))
        {
            if (part == "..")
            {
                resolved = resolved.Length == 0 ? "" : resolved[..resolved.LastIndexOf('/')];
                continue;
            }
            var target = Target($"{root}{resolved}/{part}");
            if (target is null || ++links > DepthMax)
            {
                resolved += $"/{part}";
                continue;
            }
            if (target.StartsWith('/'))
                resolved = "";
            Push(rest, target);
        }
        return resolved.Length == 0 ? "/" : resolved;
    }

    private static string? Target(string path)
    {
        try
        {
            return new DirectoryInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Push(Stack<string> rest, string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = parts.Length - 1; i >= 0; i--)
            if (parts[i] != ".")
                rest.Push(parts[i]);
    }
}
