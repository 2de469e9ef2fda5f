using System.Net;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Links;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>Checks the section <c>Links</c>.</summary>
/// <param name="faults">Where every fault is added.</param>
internal sealed class LinksReader(List<string> faults)
{
    /// <summary>IFNAMSIZ of include/uapi/linux/if.h, less the 0 at the end.</summary>
    private const int NameLengthMax = 15;

    public LinksOptions Read(IReadOnlyList<IPEndPoint> targets, IReadOnlyList<string> names, IReadOnlyList<string> kinds)
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
        return new LinksOptions { Targets = targets, Names = names, Kinds = ReadKinds(kinds) };
    }

    private Dictionary<string, LinkKind> ReadKinds(IReadOnlyList<string> texts)
    {
        if (texts.Count > LinksOptions.NamesMax)
            faults.Add($"Links.Kinds: {texts.Count} interfaces, and {LinksOptions.NamesMax} at most are watched");
        var kinds = new Dictionary<string, LinkKind>();
        foreach (var text in texts)
        {
            var (name, word) = text.LastIndexOf('=') is var at and >= 0 ? (text[..at], text[(at + 1)..]) : (text, "");
            if (!IsName(name) || LinkWords.TryRead(word) is not { } kind)
                faults.Add($"Links.Kinds: '{text}' is not NAME=KIND, with {string.Join(", ", LinkWords.Kinds)} as kinds, for example usb0=cellular");
            else if (!kinds.TryAdd(name, kind))
                faults.Add($"Links.Kinds: '{name}' is given twice");
        }
        return kinds;
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
