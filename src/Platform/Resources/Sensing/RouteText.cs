using System.Globalization;

namespace EdgeFirmware.Platform.Resources.Sensing;

/// <summary>Default routes out of the kernel's tables.</summary>
internal static class RouteText
{
    // include/uapi/linux/route.h
    private const uint Up = 0x0001;
    private const uint Reject = 0x0200;

    private const string AnyAddress6 = "00000000000000000000000000000000";

    /// <param name="ipv4"><c>/proc/net/route</c>: a head, then <c>Iface Destination Gateway Flags RefCnt Use Metric Mask …</c>, hexadecimal
    /// (net/ipv4/fib_trie.c).</param>
    /// <param name="ipv6"><c>/proc/net/ipv6_route</c>: <c>destination length source length gateway metric refcnt use flags iface</c>
    /// (net/ipv6/route.c).</param>
    /// <returns>Names of the links that lead anywhere.</returns>
    public static List<string> DefaultLinks(string ipv4, string ipv6)
    {
        var links = new List<string>();
        foreach (var line in ipv4.Split('\n'))
            if (Fields(line) is [var link, "00000000", _, var flags, _, _, _, "00000000", ..] && IsUsable(flags))
                Add(links, link);
        foreach (var line in ipv6.Split('\n'))
            if (Fields(line) is [AnyAddress6, "00", AnyAddress6, "00", _, _, _, _, var flags, var link] && IsUsable(flags))
                Add(links, link);
        return links;
    }

    private static string[] Fields(string line) => line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The kernel rejects what has no route by a route over <c>lo</c>.</summary>
    private static bool IsUsable(string flags) =>
        uint.TryParse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) && (bits & (Up | Reject)) == Up;

    private static void Add(List<string> links, string link)
    {
        if (!links.Contains(link))
            links.Add(link);
    }
}
