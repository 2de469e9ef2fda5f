namespace EdgeFirmware.Platform.Resources;

/// <summary>Files and directories of the kernel that are looked at now and then. What is not there or cannot be read is empty, never an
/// exception. Allocates.</summary>
internal static class TextFile
{
    /// <summary>More devices of one class than any board has.</summary>
    private const int EntriesMax = 256;

    /// <returns>The text without blanks around it; empty when there is none.</returns>
    public static string Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <returns>Names in order, not paths.</returns>
    public static List<string> Entries(string directory, string pattern = "*")
    {
        var names = new List<string>();
        try
        {
            if (Directory.Exists(directory))
                foreach (var path in Directory.EnumerateFileSystemEntries(directory, pattern))
                    if (names.Count < EntriesMax)
                        names.Add(Path.GetFileName(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It went away while it was listed.
        }
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public static bool Any(string directory, string pattern) => Entries(directory, pattern).Count > 0;

    /// <returns>Where a symbolic link leads in the end; the path itself when it is none, empty when nothing is there.</returns>
    public static string Follow(string path)
    {
        try
        {
            return Path.Exists(path) ? new DirectoryInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
