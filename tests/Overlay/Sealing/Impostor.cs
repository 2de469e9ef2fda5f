using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Sealing;

/// <summary>Knows the protocol and keeps to it, but for what it says of itself.</summary>
internal static class Impostor
{
    /// <returns>A second datagram that shows somebody's identity, signed with some key.</returns>
    public static byte[] Answer(ReadOnlySpan<byte> first, NodeId node, byte[] certificate, ECDsa key) =>
        Answer(first, (secrets, _) =>
        {
            var identity = ShownIdentity.Unsigned(node, certificate);
            return [.. identity, .. key.SignData(secrets.Statement(HandshakeRole.Responder, identity), HashAlgorithmName.SHA256)];
        });

    /// <param name="says">What is sealed, given the secrets of the exchange and the header.</param>
    public static byte[] Answer(ReadOnlySpan<byte> first, Func<HandshakeSecrets, byte[], byte[]> says)
    {
        using var key = new EphemeralKey();
        var header = HandshakeLayout.MakeSecondHeader(HandshakeLayout.SenderOf(first), 7, key.Point);
        using var secrets = HandshakeSecrets.Agree(key, HandshakeLayout.PointOf(first), first, header)!;
        return secrets.Seal(HandshakeRole.Responder, header, says(secrets, header));
    }
}
