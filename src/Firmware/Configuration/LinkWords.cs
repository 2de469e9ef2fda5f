using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Firmware.Configuration;

/// <summary>The kinds of links as people read and write them.</summary>
internal static class LinkWords
{
    public static readonly string[] Kinds = ["other", "ethernet", "wifi", "cellular", "6lowpan"];

    public static string Of(LinkKind kind) => Kinds[(int)kind];

    public static LinkKind? TryRead(string word) => Array.IndexOf(Kinds, word) is var at and >= 0 ? (LinkKind)at : null;
}
