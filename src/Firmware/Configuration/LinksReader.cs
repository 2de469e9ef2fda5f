using System.Net;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Checks the section <c>Links</c>.</summary>
/// <param name="faults">Where every fault is added.</param>
internal sealed class LinksReader(List<string> faults)
{
    /// <summary>IFNAMSIZ of include/uapi/linux/if.h, less the 0 at the end.</summary>
    private const int NameLengthMax = 15;

    public LinksOptions Read(IReadOnlyList<IPEndPoint> targets, IReadOnlyList<string> names)
    {
        if (targets.Count > LinksOptions.TargetsMax)
            faults.Add($"Links.Targets: {targets.Count} addresses, and {LinksOptions.TargetsMax} at most are asked");
        foreach (var target in targets)
            if (IPAddress.IsLoopback(target.Address) || target.Address.Equals(IPAddress.Any) || target.Address.Equals(IPAddress.IPv6Any))
                faults.Add($"Links.Targets: {target} is not on the Internet");
        if (names.Count > LinksOptions.NamesMax)
            faults.Add($"Links.Names: {names.Count} interfaces, and {LinksOptions.NamesMax} at most are watched");
        foreach (var name in names)
            if (!IsName(name))
                faults.Add($"Links.Names: '{name}' is no name of an interface: 1 to {NameLengthMax} characters without blanks, '/' and ':'");
        return new LinksOptions { Targets = targets, Names = names };
    }

    /// <summary>As dev_valid_name of net/core/dev.c.</summary>
    private static bool IsName(string name)
    {
        if (name.Length is 0 or > NameLengthMax || name is "." or "..")
            return false;
        foreach (var letter in name)
            if (letter is '/' or ':' || char.IsWhiteSpace(letter))
                return false;
        return true;
    }
}
