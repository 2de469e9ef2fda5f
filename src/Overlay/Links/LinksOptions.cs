using System.Net;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Links;

/// <summary>What the operator said about links.</summary>
public sealed class LinksOptions
{
    public const int TargetsMax = 8;
    public const int NamesMax = 32;

    /// <summary>Addresses on the Internet that take TCP connections; any of them proves it. Empty: a gateway that answers is all that is known.</summary>
    public IReadOnlyList<IPEndPoint> Targets { get; set; } = [];

    /// <summary>Only these interfaces. Empty: all but virtual ones that no default route goes through.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    /// <summary>What an interface is, by its name, where the driver does not show it: a modem that poses as a network card, a cable that leads to a radio.</summary>
    public IReadOnlyDictionary<string, LinkKind> Kinds { get; set; } = new Dictionary<string, LinkKind>();
}
