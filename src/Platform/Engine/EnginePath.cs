using System.Text;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

/// <summary>Names of the operator's and of peers become parts of a request path here and nowhere else. A name that would leave its place
/// in the path (empty, <c>.</c>, <c>..</c>) is refused, because <see cref="Uri"/> would resolve it to another endpoint.</summary>
internal static class EnginePath
{
    public const int NameLengthMax = 512;

    /// <summary>One path segment: a container, volume or exec ID.</summary>
    public static string Segment(string name)
    {
        Check(name, name);
        return Uri.EscapeDataString(name);
    }

    /// <summary>An image reference: its slashes, colons and at signs stay, as the engine's router expects them.</summary>
    public static string Reference(string reference)
    {
        var path = new StringBuilder(reference.Length + 8);
        foreach (var part in reference.Split('/'))
        {
            Check(part, reference);
            if (path.Length > 0)
                path.Append('/');
            path.Append(Uri.EscapeDataString(part).Replace("%3A", ":", StringComparison.Ordinal).Replace("%40", "@", StringComparison.Ordinal));
        }
        return path.ToString();
    }

    /// <summary>A query value.</summary>
    public static string Value(string text) => Uri.EscapeDataString(text);

    private static void Check(string part, string whole)
    {
        if (part.Length == 0 || part is "." or ".." || whole.Length > NameLengthMax)
            throw new EngineException(EngineFailure.Rejected, $"'{whole}' is not a name that an engine can have");
    }
}
