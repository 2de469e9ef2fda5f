namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>A line of <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</summary>
/// <param name="Device"><c>major:minor</c>; major 0 when the filesystem is not on one block device.</param>
/// <param name="Point">Where it is mounted.</param>
/// <param name="Source">For some filesystems the device's path.</param>
/// <param name="ReadOnly">The mount or the filesystem itself takes no writes.</param>
internal sealed record Mount(string Device, string Point, string Type, string Source, bool ReadOnly, string SuperOptions)
{
    /// <param name="path">Absolute and without symbolic links.</param>
    /// <returns>The mount that a path is on; of two at one place the later hides the earlier.</returns>
    public static Mount? Holding(string mountinfo, string path)
    {
        Mount? best = null;
        foreach (var line in mountinfo.Split('\n'))
            if (Parse(line) is { } mount && Holds(mount.Point, path) && mount.Point.Length >= (best?.Point.Length ?? 0))
                best = mount;
        return best;
    }

    /// <summary>The value of <c>key=</c> among the filesystem's own options; empty without one.</summary>
    public string Option(string key)
    {
        foreach (var option in SuperOptions.Split(','))
            if (option.Length > key.Length && option.StartsWith(key, StringComparison.Ordinal) && option[key.Length] == '=')
                return Plain(option[(key.Length + 1)..]);
        return "";
    }

    private static Mount? Parse(string line)
    {
        var dash = line.IndexOf(" - ", StringComparison.Ordinal);
        if (dash < 0)
            return null;
        var left = line[..dash].Split(' ');
        var right = line[(dash + 3)..].Split(' ');
        if (left.Length < 6 || right.Length < 3)
            return null;
        return new Mount(left[2], Plain(left[4]), right[0], Plain(right[1]), IsReadOnly(left[5]) || IsReadOnly(right[2]) || IsStopped(right[2]), right[2]);
    }

    private static bool Holds(string point, string path) =>
        point == "/" || (path.StartsWith(point, StringComparison.Ordinal) && (path.Length == point.Length || path[point.Length] == '/'));

    private static bool IsReadOnly(string options) => options == "ro" || options.StartsWith("ro,", StringComparison.Ordinal);

    /// <summary>Since Linux 6.12 ext4 stays <c>rw</c> when an error stops it, and says so by another word (fs/ext4/super.c).</summary>
    private static bool IsStopped(string superOptions)
    {
        foreach (var option in superOptions.Split(','))
            if (option is "emergency_ro" or "shutdown")
                return true;
        return false;
    }

    private static string Plain(string field) => field
        .Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);
}
