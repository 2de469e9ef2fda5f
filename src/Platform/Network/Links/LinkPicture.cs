using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using EdgeFirmware.Contracts.Links;
using static EdgeFirmware.Platform.Network.Links.RouteNumbers;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>Gathers the answers to RTM_GETLINK, RTM_GETADDR and RTM_GETROUTE into a picture. What it cannot read it leaves out; it takes at most as much
/// as a picture may have.</summary>
/// <param name="nature">Of an interface by its name.</param>
internal sealed class LinkPicture(Func<string, LinkNature> nature)
{
    private readonly SortedDictionary<int, Entry> _links = [];

    /// <summary>In the order of their indexes.</summary>
    public IReadOnlyList<KernelLink> Build()
    {
        var links = new List<KernelLink>(_links.Count);
        foreach (var (index, entry) in _links)
            // What has a master is part of a bridge or bond, unless it has addresses of its own (VRF).
            if (!entry.HasMaster || entry.Addresses.Count > 0)
                links.Add(entry.ToLink(index));
        return links;
    }

    /// <summary>Takes one message of a dump.</summary>
    public void Take(ushort type, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case RTM_NEWLINK:
                TakeLink(payload);
                break;
            case RTM_NEWADDR:
                TakeAddress(payload);
                break;
            case RTM_NEWROUTE:
                TakeRoute(payload);
                break;
        }
    }

    /// <summary>struct ifinfomsg: family, pad, type (2), index (4), flags (4), change (4).</summary>
    private void TakeLink(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 16)
            return;
        var hardware = MemoryMarshal.Read<ushort>(payload[2..]);
        var index = MemoryMarshal.Read<int>(payload[4..]);
        if (index <= 0 || LinkNature.IsLeftOut(hardware) || _links.Count >= KernelLink.LinksMax)
            return;
        var (name, driver, hasMaster) = ("", "", false);
        var attributes = new AttributeReader(payload[16..]);
        while (attributes.Read())
            switch (attributes.Type)
            {
                case IFLA_IFNAME:
                    name = Text(attributes.Value);
                    break;
                case IFLA_MASTER:
                    hasMaster = attributes.Number != 0;
                    break;
                case IFLA_LINKINFO:
                    driver = Driver(attributes.Value);
                    break;
            }
        if (name.Length == 0)
            return;
        _links[index] = new Entry(name, nature(name).Kind(hardware, driver), LinkNature.IsVirtual(driver), MemoryMarshal.Read<uint>(payload[8..]), hasMaster);
    }

    private static string Driver(ReadOnlySpan<byte> information)
    {
        var attributes = new AttributeReader(information);
        while (attributes.Read())
            if (attributes.Type == IFLA_INFO_KIND)
                return Text(attributes.Value);
        return "";
    }

    /// <summary>struct ifaddrmsg: family, prefix length, flags, scope, index (4).</summary>
    private void TakeAddress(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 8 || !_links.TryGetValue(MemoryMarshal.Read<int>(payload[4..]), out var entry) || entry.Addresses.Count >= KernelLink.AddressesMax)
            return;
        var (family, prefix, scope) = (payload[0], payload[1], payload[3]);
        uint flags = payload[2];
        ReadOnlySpan<byte> address = default, local = default;
        var attributes = new AttributeReader(payload[8..]);
        while (attributes.Read())
            switch (attributes.Type)
            {
                case IFA_ADDRESS:
                    address = attributes.Value;
                    break;
                case IFA_LOCAL:
                    local = attributes.Value;
                    break;
                case IFA_FLAGS:
                    flags = attributes.Number;
                    break;
            }
        // On a point-to-point link IFA_ADDRESS is the other end.
        var own = Address(family, local.IsEmpty ? address : local, MemoryMarshal.Read<int>(payload[4..]));
        if (own is null || prefix > (family == AF_INET ? 32 : 128) || scope >= RT_SCOPE_HOST || (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0)
            return;
        entry.Addresses.Add(new LinkAddress(own, prefix, scope switch
        {
            RT_SCOPE_LINK => AddressScope.Link,
            RT_SCOPE_SITE => AddressScope.Site,
            _ => AddressScope.Global,
        }));
    }

    /// <summary>struct rtmsg: family, bits of destination and source, TOS, table, protocol, scope, type, flags (4). Only default routes of the main table.</summary>
    private void TakeRoute(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 12 || payload[0] is not (AF_INET or AF_INET6) || payload[1] != 0 || payload[2] != 0 || payload[3] != 0
            || payload[7] != RTN_UNICAST || (MemoryMarshal.Read<uint>(payload[8..]) & (RTM_F_CLONED | RTNH_F_DEAD)) != 0)
            return;
        uint table = payload[4], metric = 0;
        ReadOnlySpan<byte> hops = default;
        var hop = new Hop(payload[0]);
        var attributes = new AttributeReader(payload[12..]);
        while (attributes.Read())
            switch (attributes.Type)
            {
                case RTA_TABLE:
                    table = attributes.Number;
                    break;
                case RTA_PRIORITY:
                    metric = attributes.Number;
                    break;
                case RTA_MULTIPATH:
                    hops = attributes.Value;
                    break;
                default:
                    hop.Take(attributes);
                    break;
            }
        if (table != RT_TABLE_MAIN)
            return;
        Add(hop, payload[0], metric);
        // struct rtnexthop: length (2), flags, hops, index (4), attributes.
        while (hops.Length >= 8 && MemoryMarshal.Read<ushort>(hops) is var length && length >= 8 && length <= hops.Length)
        {
            var next = new Hop(payload[0]) { Index = MemoryMarshal.Read<int>(hops[4..]) };
            var inner = new AttributeReader(hops[8..length]);
            while (inner.Read())
                next.Take(inner);
            if ((hops[2] & RTNH_F_DEAD) == 0)
                Add(next, payload[0], metric);
            hops = hops[Math.Min((length + 3) & ~3, hops.Length)..];
        }
    }

    private void Add(Hop hop, byte family, uint metric)
    {
        if (!_links.TryGetValue(hop.Index, out var entry) || entry.Routes.Count >= KernelLink.RoutesMax)
            return;
        var route = new DefaultRoute(family == AF_INET ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, hop.Gateway, metric);
        var at = 0;
        while (at < entry.Routes.Count && entry.Routes[at].Metric <= metric)
            at++;
        entry.Routes.Insert(at, route);
    }

    private static string Text(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)0);
        if (end >= 0)
            value = value[..end];
        return value.Length < IFNAMSIZ ? Encoding.UTF8.GetString(value) : "";
    }

    /// <returns><c>null</c> when the bytes are no address of that family.</returns>
    internal static IPAddress? Address(byte family, ReadOnlySpan<byte> bytes, int index)
    {
        if ((family, bytes.Length) is not ((AF_INET, 4) or (AF_INET6, 16)))
            return null;
        var address = new IPAddress(bytes);
        return address.IsIPv6LinkLocal ? new IPAddress(bytes, index) : address;
    }

    /// <summary>Where a route leads next.</summary>
    private struct Hop(byte family)
    {
        private byte[]? _gateway;
        private byte _gatewayFamily = family;

        public int Index { get; set; }

        public readonly IPAddress? Gateway => Address(_gatewayFamily, _gateway, Index);

        public void Take(in AttributeReader attribute)
        {
            switch (attribute.Type)
            {
                case RTA_OIF:
                    Index = (int)attribute.Number;
                    break;
                case RTA_GATEWAY:
                    _gateway = attribute.Value.ToArray();
                    break;
                // struct rtvia: family (2), address. A gateway of the other family (RFC 8950).
                case RTA_VIA when attribute.Value.Length > 2:
                    _gatewayFamily = (byte)MemoryMarshal.Read<ushort>(attribute.Value);
                    _gateway = attribute.Value[2..].ToArray();
                    break;
            }
        }
    }

    private sealed class Entry(string name, LinkKind kind, bool isVirtual, uint flags, bool hasMaster)
    {
        public bool HasMaster => hasMaster;

        public List<LinkAddress> Addresses { get; } = [];

        public List<DefaultRoute> Routes { get; } = [];

        /// <summary>IFF_RUNNING is the operational state (RFC 2863), IFF_LOWER_UP the carrier; the first may lag behind.</summary>
        public KernelLink ToLink(int index) => new(
            name, index, kind, isVirtual, (flags & IFF_UP) != 0, (flags & (IFF_UP | IFF_RUNNING | IFF_LOWER_UP)) == (IFF_UP | IFF_RUNNING | IFF_LOWER_UP),
            Addresses, Routes);
    }
}
