using System.Globalization;

namespace EdgeFirmware.Platform.Memory;

/// <param name="Length">Bytes.</param>
internal readonly record struct TextMapping(long Start, long Length);

/// <summary>Finds in <c>/proc/PID/smaps</c> (proc(5)) the mappings that hold nothing but pages of a file. Pure.</summary>
internal static class SharedText
{
    /// <summary>A read-only mapping may still hold relocated pages (RELRO), which exist nowhere else: any anonymous page rules a mapping out.
    /// So does a missing figure.</summary>
    public static List<TextMapping> Find(string smaps)
    {
        var found = new List<TextMapping>();
        TextMapping? candidate = null;
        foreach (var line in smaps.AsSpan().EnumerateLines())
        {
            if (TryReadHead(line, out var mapping, out var isText))
                candidate = isText ? mapping : null;
            else if (candidate is { } text && line.StartsWith("Anonymous:", StringComparison.Ordinal))
            {
                if (line["Anonymous:".Length..].Trim() is "0 kB")
                    found.Add(text);
                candidate = null;
            }
        }
        return found;
    }

    /// <summary><c>start-end perms offset dev inode path</c>, numbers in hexadecimal.</summary>
    private static bool TryReadHead(ReadOnlySpan<char> line, out TextMapping mapping, out bool isText)
    {
        mapping = default;
        isText = false;
        var dash = line.IndexOf('-');
        var space = line.IndexOf(' ');
        if (dash <= 0 || space <= dash
            || !long.TryParse(line[..dash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
            || !long.TryParse(line[(dash + 1)..space], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end))
            return false;
        mapping = new TextMapping(start, end - start);
        var permissions = line.Slice(space + 1, Math.Min(4, line.Length - space - 1));
        isText = permissions is "r-xp" or "r--p" && line.Contains(" /", StringComparison.Ordinal);
        return true;
    }
}
