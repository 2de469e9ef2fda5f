using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Platform.Resources;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>What an interface is, from the kernel's numbers and, where these are the same for all that looks like Ethernet, from sysfs.</summary>
/// <param name="DeviceType">DEVTYPE of the uevent: <c>wlan</c>, <c>wwan</c>, <c>bluetooth</c> or empty.</param>
/// <param name="IsWireless">cfg80211 has a radio for it.</param>
internal readonly record struct LinkNature(string DeviceType, bool IsWireless)
{
    /// <summary>Interfaces that carry no IP of their own, or only to this machine itself.</summary>
    public static bool IsLeftOut(ushort hardware) =>
        hardware is ARPHRD_LOOPBACK or ARPHRD_IEEE80211 or ARPHRD_IEEE80211_RADIOTAP or ARPHRD_IEEE802154 or ARPHRD_IEEE802154_MONITOR;

    /// <param name="hardware">ifi_type, an ARPHRD_ number.</param>
    /// <param name="driver">IFLA_INFO_KIND: empty for what is no creation of software.</param>
    public LinkKind Kind(ushort hardware, string driver) => DeviceType == "bluetooth" ? LinkKind.Other
        : hardware == ARPHRD_6LOWPAN || driver == "lowpan" ? LinkKind.SixLowpan
        : DeviceType == "wwan" || driver is "wwan" or "rmnet" or "ppp" || (hardware is ARPHRD_PPP or ARPHRD_RAWIP && driver.Length == 0) ? LinkKind.Cellular
        : DeviceType == "wlan" || IsWireless ? LinkKind.Wifi
        : hardware == ARPHRD_ETHER && driver is "" or "veth" or "vlan" or "bond" or "team" or "macvlan" or "ipvlan" or "bridge" or "dsa" ? LinkKind.Ethernet
        : LinkKind.Other;

    /// <summary>6LoWPAN and modem drivers register link types though there is a radio under them.</summary>
    public static bool IsVirtual(string driver) => driver is not ("" or "lowpan" or "wwan" or "rmnet" or "ppp" or "dsa" or "can" or "ipoib");

    /// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
    /// <param name="name">As the kernel gave it; no name has a slash (dev_valid_name).</param>
    public static LinkNature Read(string root, string name)
    {
        if (name.Length == 0 || name is "." or ".." || name.Contains('/', StringComparison.Ordinal))
            return default;
        var link = $"{root}/sys/class/net/{name}";
        var type = "";
        foreach (var line in TextFile.Read($"{link}/uevent").Split('\n'))
            if (line.StartsWith("DEVTYPE=", StringComparison.Ordinal))
                type = line["DEVTYPE=".Length..];
        return new LinkNature(type, Directory.Exists($"{link}/wireless") || Path.Exists($"{link}/phy80211"));
    }
}
