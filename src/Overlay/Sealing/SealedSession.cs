using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>What a handshake leads to.</summary>
/// <param name="Peer">Proven with the site's certificates; claimed by a holder of the site key in the lab profile.</param>
/// <param name="PeerCertificate">DER, to be judged again when the site's revocations change.</param>
/// <param name="OwnIndex">In what the peer sends.</param>
/// <param name="PeerIndex">In what this node sends.</param>
internal sealed record SealedSession(NodeId Peer, byte[] PeerCertificate, ushort OwnIndex, ushort PeerIndex, PacketSeal Packets) : IDisposable
{
    public void Dispose() => Packets.Dispose();
}
