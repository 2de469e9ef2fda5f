using System.Globalization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>The labels of a node: those it advertises, and what its offer says anyway, as <c>node=gate-1</c>, <c>arch=arm64</c>, <c>page=16384</c>
/// and <c>link=wired</c>.</summary>
internal static class NodeLabels
{
    public static bool Has(NodeId node, Offer offer, string label)
    {
        var labels = offer.Labels;
        for (var i = 0; labels is not null && i < labels.Count; i++)
            if (labels[i] == label)
                return true;
        var equals = label.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
            return false;
        var value = label.AsSpan(equals + 1);
        return label.AsSpan(0, equals) switch
        {
            "node" => value.Equals(node.Name, StringComparison.OrdinalIgnoreCase),
            "arch" => value.SequenceEqual(offer.Architecture),
            "page" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes == offer.PageBytes,
            "link" => (offer.Links & Link(value)) != 0,
            _ => false,
        };
    }

    private static LinkKinds Link(ReadOnlySpan<char> name) => name switch
    {
        "wired" => LinkKinds.Wired,
        "wireless" => LinkKinds.Wireless,
        "wan" => LinkKinds.Wan,
        "lowpan" => LinkKinds.LowPan,
        "bluetooth" => LinkKinds.Bluetooth,
        _ => LinkKinds.None,
    };
}
