using System.Net;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>Gives the same endpoint for the same sender, so that a datagram of a neighbour makes no garbage.</summary>
internal sealed class KnownSenders
{
    /// <summary>More than a node has neighbours on one link. Then it begins anew: whoever forges senders only makes it slow.</summary>
    public const int SendersMax = 64;

    private readonly Dictionary<SocketAddress, IPEndPoint> _known = [];

    /// <param name="address">Not kept.</param>
    public IPEndPoint Of(SocketAddress address)
    {
        if (_known.TryGetValue(address, out var known))
            return known;
        if (_known.Count >= SendersMax)
            _known.Clear();
        var copy = new SocketAddress(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return _known[copy] = EndpointBytes.Read(address);
    }
}
