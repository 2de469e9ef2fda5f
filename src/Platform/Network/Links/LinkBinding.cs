using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>What a socket of a link depends on: when it is another, the socket is another.</summary>
/// <param name="Index">0 for no link in particular.</param>
internal readonly record struct LinkBinding(int Index, string Name, bool HasV4, bool HasV6)
{
    public static readonly LinkBinding None = new(0, "any", false, false);

    /// <returns><c>null</c> for a link that carries nothing now.</returns>
    public static LinkBinding? Of(KernelLink link)
    {
        var (v4, v6) = (false, false);
        for (var i = 0; i < link.Addresses.Count; i++) // no enumerator: this is done for every picture
        {
            v4 |= link.Addresses[i].Address.AddressFamily == AddressFamily.InterNetwork;
            v6 |= link.Addresses[i].Address.AddressFamily == AddressFamily.InterNetworkV6;
        }
        return link.IsUp && (v4 || v6) ? new LinkBinding(link.Index, link.Name, v4, v6) : null;
    }
}
