using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>The side that begins a handshake: SIGMA-I (Krawczyk, CRYPTO 2003), the pattern of IKEv2 and TLS 1.3, in three datagrams. It shows itself only to a
/// responder that has proven who it is. Sends nothing and knows no time: the caller repeats <see cref="First"/> until there is a second datagram, and
/// <see cref="Third"/> until a packet of the session opens, which is the proof that it arrived.</summary>
/// <remarks>A second datagram costs an agreement (ECDH), and when its sender has made the exchange two signature checks and a signature. The caller limits how many it
/// hands in.</remarks>
internal sealed class HandshakeInitiator : IDisposable
{
    private readonly EphemeralKey _key = new();
    private readonly IdentityProof _proof;
    private readonly ushort _index;
    private readonly NodeId? _expected;
    private readonly byte[] _first;
    private byte[] _second = [];
    private byte[] _third = [];

    /// <param name="index">Of the session at this node.</param>
    /// <param name="expected">Who has to answer; <c>null</c> for any node of the site.</param>
    public HandshakeInitiator(NodeId self, IPeerTrust trust, ushort index, NodeId? expected)
    {
        _proof = new IdentityProof(self, trust);
        _index = index;
        _expected = expected;
        _first = HandshakeLayout.MakeFirst(index, _key.Point);
    }

    public ReadOnlyMemory<byte> First => _first;

    /// <summary>Empty until established.</summary>
    public ReadOnlyMemory<byte> Third => _third;

    /// <param name="second">Anything that may be a second datagram.</param>
    public HandshakeStep Handle(ReadOnlySpan<byte> second)
    {
        if (_third.Length > 0)
            return second.SequenceEqual(_second) ? HandshakeStep.Repeated(_third) : HandshakeStep.Discarded("the handshake is over");
        if (!HandshakeLayout.IsSecond(second, _index))
            return HandshakeStep.Discarded("not a second datagram of this handshake");
        var point = HandshakeLayout.PointOf(second);
        if (point.SequenceEqual(_key.Point))
            return HandshakeStep.Refused("this node's own key comes back: somebody reflects its datagrams");
        using var secrets = HandshakeSecrets.Agree(_key, point, _first, second[..HandshakeLayout.SecondHeaderBytes]);
        if (secrets is null)
            return HandshakeStep.Refused("its key is no point of P-256");
        if (secrets.Open(HandshakeRole.Responder, second, HandshakeLayout.SecondHeaderBytes) is not { } shown)
            return HandshakeStep.Discarded("the second datagram does not open: it answers another first one, or was changed");
        if (_proof.Judge(secrets, HandshakeRole.Responder, _expected, shown, out var why) is not { } peer)
            return HandshakeStep.Refused(why);
        secrets.Absorb(shown);
        if (_proof.Make(secrets, HandshakeRole.Initiator, out why) is not { } own)
            return HandshakeStep.Refused(why);
        var peerIndex = HandshakeLayout.SenderOf(second);
        _third = secrets.Seal(HandshakeRole.Initiator, HandshakeLayout.MakeThirdHeader(peerIndex), own);
        _second = second.ToArray();
        secrets.Absorb(own);
        _key.Dispose();
        return HandshakeStep.Established(new SealedSession(peer.Node, peer.Certificate, _index, peerIndex, secrets.Session(HandshakeRole.Initiator)), _third);
    }

    public void Dispose() => _key.Dispose();
}
