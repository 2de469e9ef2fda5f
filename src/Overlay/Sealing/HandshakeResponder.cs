using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>The side that answers a handshake, see <see cref="HandshakeInitiator"/>; one for each first datagram. It believes nothing of the initiator before the third
/// datagram, and does not speak first in the session.</summary>
/// <remarks>A first datagram, from anyone, costs a key, an agreement and a signature, and is answered with about ten times its bytes: the caller limits the rate, in all and by address,
/// and the number of responders that wait. A third one costs a decryption, and two signature checks when it opens.</remarks>
internal sealed class HandshakeResponder : IDisposable
{
    private readonly IdentityProof _proof;
    private readonly HandshakeSecrets _secrets;
    private readonly ushort _index;
    private readonly byte[] _first;
    private readonly byte[] _second;
    private byte[] _third = [];

    private HandshakeResponder(IdentityProof proof, HandshakeSecrets secrets, ushort index, byte[] first, byte[] second)
    {
        _proof = proof;
        _secrets = secrets;
        _index = index;
        _first = first;
        _second = second;
    }

    public ReadOnlyMemory<byte> Second => _second;

    /// <param name="index">Of the session at this node.</param>
    /// <param name="first">Anything that may be a first datagram.</param>
    /// <param name="why">For a person, when there is no answer.</param>
    /// <returns><c>null</c> for what is not answered.</returns>
    public static HandshakeResponder? TryAnswer(NodeId self, IPeerTrust trust, ushort index, ReadOnlySpan<byte> first, out string why)
    {
        if (!HandshakeLayout.IsFirst(first))
        {
            why = "not a first datagram of a handshake";
            return null;
        }
        if (HandshakeLayout.VersionOf(first) != HandshakeLayout.Version)
        {
            why = $"it speaks version {HandshakeLayout.VersionOf(first)} of the handshake, this node {HandshakeLayout.Version}";
            return null;
        }
        using var key = new EphemeralKey();
        var header = HandshakeLayout.MakeSecondHeader(HandshakeLayout.SenderOf(first), index, key.Point);
        if (HandshakeSecrets.Agree(key, HandshakeLayout.PointOf(first), first, header) is not { } secrets)
        {
            why = "its key is no point of P-256";
            return null;
        }
        var proof = new IdentityProof(self, trust);
        if (proof.Make(secrets, HandshakeRole.Responder, out why) is not { } own)
        {
            secrets.Dispose();
            return null;
        }
        var second = secrets.Seal(HandshakeRole.Responder, header, own);
        secrets.Absorb(own);
        return new HandshakeResponder(proof, secrets, index, first.ToArray(), second);
    }

    /// <summary>Whether this one has answered it.</summary>
    public bool HasAnswered(ReadOnlySpan<byte> first) => first.SequenceEqual(_first);

    /// <param name="datagram">The first one again, or anything that may be the third.</param>
    public HandshakeStep Handle(ReadOnlySpan<byte> datagram)
    {
        if (HasAnswered(datagram))
            return HandshakeStep.Repeated(_second);
        if (_third.Length > 0)
            return datagram.SequenceEqual(_third) ? HandshakeStep.Repeated(default) : HandshakeStep.Discarded("the handshake is over");
        if (!HandshakeLayout.IsThird(datagram, _index))
            return HandshakeStep.Discarded("not a third datagram of this handshake");
        if (_secrets.Open(HandshakeRole.Initiator, datagram, HandshakeLayout.ThirdHeaderBytes) is not { } shown)
            return HandshakeStep.Discarded("the third datagram does not open: it is of another handshake, or was changed");
        if (_proof.Judge(_secrets, HandshakeRole.Initiator, expected: null, shown, out var why) is not { } peer)
            return HandshakeStep.Refused(why);
        _secrets.Absorb(shown);
        _third = datagram.ToArray();
        var session = new SealedSession(peer.Node, peer.Certificate, _index, HandshakeLayout.SenderOf(_first), _secrets.Session(HandshakeRole.Responder));
        _secrets.Dispose();
        return HandshakeStep.Established(session, default);
    }

    public void Dispose() => _secrets.Dispose();
}
