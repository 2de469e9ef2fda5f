using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Overlay.Relaying;

/// <summary>One destination in what a node tells a neighbour: the number of links to it (4 bits; 0: it is not reached any more), the kind of the slowest (3), whether the
/// ID is there (1); the ID, or the handle (4) when that neighbour has been told the ID; cost (1); the nodes between (4 each).</summary>
internal static class RouteEntry
{
    /// <summary>A name of 63 bytes behind its length, and a MAC.</summary>
    public const int BytesMax = 1 + 1 + 63 + MacBytes + 1 + (RouteTable.HopsMax - 2) * NodeHandle.Bytes;

    private const int MacBytes = 6;

    /// <param name="id">Said when it is not <c>null</c>.</param>
    /// <param name="route"><c>null</c>: not reached any more.</param>
    /// <param name="cost">To the destination, and <paramref name="kind"/> on the way there.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> to, int handle, NodeId? id, Route? route, int cost, LinkKind kind)
    {
        to[0] = (byte)((route?.Hops ?? 0) | (int)kind << 4 | (id is null ? 0 : 0x80));
        var at = 1;
        if (id is { } node)
        {
            var name = Encoding.ASCII.GetBytes(node.Name, to[2..]);
            to[1] = (byte)name;
            at = 2 + name;
            for (var i = 0; i < MacBytes; i++)
                to[at++] = byte.Parse(node.Value.AsSpan(name + 1 + 3 * i, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }
        else
            Put(to, ref at, handle);
        if (route is null)
            return at;
        to[at++] = (byte)Math.Min(cost, byte.MaxValue);
        if (!route.IsDirect)
            Put(to, ref at, route.Via);
        foreach (var between in route.Between)
            Put(to, ref at, between);
        return at;
    }

    /// <param name="from">The rest of a message; what was read is taken off.</param>
    /// <param name="id">Empty when it was not said.</param>
    /// <param name="hops">To the destination from the neighbour; 0: not reached any more.</param>
    /// <returns>Whether that was an entry.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> from, out int handle, out NodeId id, out int hops, out int cost, out LinkKind kind, out int[] between)
    {
        (handle, id, cost, between) = (0, default, 0, []);
        hops = from.Length > 0 ? from[0] & 0xF : 0;
        kind = (LinkKind)(from.Length > 0 ? from[0] >> 4 & 7 : 0);
        if (from.Length == 0 || hops >= RouteTable.HopsMax || kind > LinkKind.SixLowpan)
            return false;
        var at = 1;
        if ((from[0] & 0x80) != 0 ? !TryId(from, ref at, out handle, out id) : !TryTake(from, ref at, out handle))
            return false;
        if (hops > 0)
        {
            if (at >= from.Length)
                return false;
            cost = from[at++];
            between = new int[hops - 1];
            for (var i = 0; i < between.Length; i++)
                if (!TryTake(from, ref at, out between[i]))
                    return false;
        }
        from = from[at..];
        return true;
    }

    private static bool TryId(ReadOnlySpan<byte> from, ref int at, out int handle, out NodeId id)
    {
        (handle, id) = (0, default);
        if (at >= from.Length || from.Length - at - 1 < from[at] + MacBytes || !Ascii.IsValid(from.Slice(at + 1, from[at])))
            return false;
        var text = new StringBuilder(Encoding.ASCII.GetString(from.Slice(at + 1, from[at])));
        at += 1 + from[at];
        for (var i = 0; i < MacBytes; i++)
            text.Append(i == 0 ? '/' : ':').Append(from[at++].ToString("x2", CultureInfo.InvariantCulture));
        if (!NodeId.TryParse(text.ToString(), out id))
            return false;
        handle = NodeHandle.Of(id);
        return true;
    }

    private static bool TryTake(ReadOnlySpan<byte> from, ref int at, out int handle)
    {
        handle = 0;
        if (from.Length - at < NodeHandle.Bytes)
            return false;
        handle = BinaryPrimitives.ReadInt32BigEndian(from[at..]);
        at += NodeHandle.Bytes;
        return true;
    }

    private static void Put(Span<byte> to, ref int at, int handle)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[at..], handle);
        at += NodeHandle.Bytes;
    }
}
