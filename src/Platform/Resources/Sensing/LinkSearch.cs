using System.Globalization;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Platform.Resources.Sensing;

/// <summary>Which kinds of links are up (Documentation/ABI/testing/sysfs-class-net).</summary>
/// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
internal sealed class LinkSearch(string root)
{
    // include/uapi/linux/if_arp.h
    private const int Ethernet = 1;
    private const int PointToPoint = 512;
    private const int RawIp = 519;
    private const int SixLowPan = 825;

    /// <summary>IFF_UP of include/uapi/linux/if.h.</summary>
    private const uint InterfaceUp = 1;

    public LinkKinds Read()
    {
        var defaults = RouteText.DefaultLinks(TextFile.Read($"{root}/proc/net/route"), TextFile.Read($"{root}/proc/net/ipv6_route"));
        var kinds = LinkKinds.None;
        foreach (var name in TextFile.Entries($"{root}/sys/class/net"))
            if (name != "lo")
                kinds |= Kind($"{root}/sys/class/net/{name}", defaults.Contains(name));
        return kinds;
    }

    private static LinkKinds Kind(string link, bool isDefault)
    {
        if (!IsUp(link) || !int.TryParse(TextFile.Read($"{link}/type"), NumberStyles.None, CultureInfo.InvariantCulture, out var type))
            return LinkKinds.None;
        var leadsOut = isDefault ? LinkKinds.Wan : LinkKinds.None;
        var deviceType = DeviceType(TextFile.Read($"{link}/uevent"));
        // 6LoWPAN over Bluetooth is of both; it has Bluetooth's range and rate.
        if (deviceType == "bluetooth")
            return LinkKinds.Bluetooth | leadsOut;
        if (type == SixLowPan)
            return LinkKinds.LowPan | leadsOut;
        if (deviceType == "wwan" || type is PointToPoint or RawIp)
            return LinkKinds.Wan;
        if (deviceType == "wlan" || Directory.Exists($"{link}/wireless") || Path.Exists($"{link}/phy80211"))
            return LinkKinds.Wireless | leadsOut;
        // Bridges and pairs of containers lead nowhere but to containers, unless the way out goes through them.
        var isWired = type == Ethernet && (isDefault || Path.Exists($"{link}/device"));
        return (isWired ? LinkKinds.Wired : LinkKinds.None) | leadsOut;
    }

    /// <summary>Drivers that cannot tell whether there is a carrier say <c>unknown</c> (RFC 2863).</summary>
    private static bool IsUp(string link) =>
        TextFile.Read($"{link}/operstate") is "up" or "unknown"
        && TextFile.Read($"{link}/flags") is ['0', 'x', .. var flags]
        && uint.TryParse(flags, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) && (bits & InterfaceUp) != 0;

    private static string DeviceType(string uevent)
    {
        foreach (var line in uevent.Split('\n'))
            if (line.StartsWith("DEVTYPE=", StringComparison.Ordinal))
                return line["DEVTYPE=".Length..];
        return "";
    }
}
