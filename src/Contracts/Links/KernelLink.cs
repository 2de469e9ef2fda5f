using System.Net;
using System.Net.Sockets;

namespace EdgeFirmware.Contracts.Links;

/// <summary>A network interface as the kernel has it at one moment. Two are equal when nothing a reader could see differs.</summary>
/// <param name="Name">At most 15 characters (IFNAMSIZ of include/uapi/linux/if.h); may change while <paramref name="Index"/> stays.</param>
/// <param name="Index">Positive; of this network namespace, and not reused while the interface exists.</param>
/// <param name="IsVirtual">Made by software (bridge, pair, tunnel): it is a way out of the node only if a default route goes through it.</param>
/// <param name="IsUp">Switched on by the administrator.</param>
/// <param name="HasCarrier">The other end is there, as far as the driver can tell.</param>
/// <param name="Addresses">Usable ones only: an address still under duplicate detection is not there yet. At most <see cref="AddressesMax"/>.</param>
/// <param name="Routes">Default routes through it, best metric first. At most <see cref="RoutesMax"/>.</param>
public sealed record KernelLink(
    string Name, int Index, LinkKind Kind, bool IsVirtual, bool IsUp, bool HasCarrier, IReadOnlyList<LinkAddress> Addresses, IReadOnlyList<DefaultRoute> Routes)
{
    public const int LinksMax = 64;
    public const int AddressesMax = 16;
    public const int RoutesMax = 8;

    public bool Equals(KernelLink? other) => other is not null
        && (Name, Index, Kind, IsVirtual, IsUp, HasCarrier) == (other.Name, other.Index, other.Kind, other.IsVirtual, other.IsUp, other.HasCarrier)
        && HasSameWays(other);

    public override int GetHashCode() => HashCode.Combine(Name, Index, Kind, IsVirtual, IsUp, HasCarrier, Addresses.Count, Routes.Count);

    /// <returns>Whether addresses and default routes are the same.</returns>
    public bool HasSameWays(KernelLink other)
    {
        if (Addresses.Count != other.Addresses.Count || Routes.Count != other.Routes.Count)
            return false;
        for (var i = 0; i < Addresses.Count; i++)
            if (Addresses[i] != other.Addresses[i])
                return false;
        for (var i = 0; i < Routes.Count; i++)
            if (Routes[i] != other.Routes[i])
                return false;
        return true;
    }

    /// <summary>An address to send from, the widest scope first; <c>null</c> without one of that family.</summary>
    public IPAddress? AddressOf(AddressFamily family)
    {
        LinkAddress? best = null;
        foreach (var one in Addresses)
            if (one.Address.AddressFamily == family && (best is null || one.Scope > best.Scope))
                best = one;
        return best?.Address;
    }
}

/// <param name="PrefixBits">Length of the prefix that is on the link.</param>
public sealed record LinkAddress(IPAddress Address, int PrefixBits, AddressScope Scope);

/// <param name="Gateway"><c>null</c> when the link itself leads everywhere (point to point). A link-local address of IPv6 has its scope set.</param>
/// <param name="Metric">Less is preferred by the kernel.</param>
public sealed record DefaultRoute(AddressFamily Family, IPAddress? Gateway, uint Metric);
