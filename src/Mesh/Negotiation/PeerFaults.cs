using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>Whose faults are worth telling: each peer's once in a while, however many it makes.</summary>
internal sealed class PeerFaults
{
    private const int PeersMax = 256;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Dictionary<NodeId, Instant> _told = [];

    public bool ShouldTell(NodeId peer, Instant now)
    {
        if (_told.TryGetValue(peer, out var at) && now - at < Interval)
            return false;
        if (_told.Count >= PeersMax)
            _told.Clear();
        _told[peer] = now;
        return true;
    }
}
