using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>Who this node is, shown and signed, and whether it believes who the peer is.</summary>
internal sealed class IdentityProof(NodeId self, IPeerTrust trust)
{
    private const string P256 = "1.2.840.10045.3.1.7";

    /// <param name="why">Why not.</param>
    /// <returns>Identity with its signature, to be sealed; <c>null</c> when this node's certificate does not do for that.</returns>
    public byte[]? Make(HandshakeSecrets secrets, HandshakeRole role, out string why)
    {
        why = "";
        var own = trust.Own;
        var certificate = own.RawData;
        if (certificate.Length > HandshakeLayout.CertificateBytesMax)
        {
            why = $"this node's certificate has {certificate.Length} bytes; {HandshakeLayout.CertificateBytesMax} fit in a datagram";
            return null;
        }
        using var key = own.GetECDsaPrivateKey();
        if (key is null || !IsP256(key))
        {
            why = "this node has no P-256 key to sign with";
            return null;
        }
        var identity = ShownIdentity.Unsigned(self, certificate);
        return [.. identity, .. key.SignData(secrets.Statement(role, identity), HashAlgorithmName.SHA256)];
    }

    /// <param name="role">The peer's.</param>
    /// <param name="expected">Who it has to be; <c>null</c> for any node of the site.</param>
    /// <param name="plain">What it sealed.</param>
    /// <param name="why">Why not.</param>
    /// <returns>Who the peer is; <c>null</c> when that is not believed, or it may not talk to this node.</returns>
    public ShownIdentity? Judge(HandshakeSecrets secrets, HandshakeRole role, NodeId? expected, ReadOnlySpan<byte> plain, out string why)
    {
        if (ShownIdentity.Read(plain) is not { } shown)
        {
            why = "it shows no identity";
            return null;
        }
        why = FaultOf(shown, secrets.Statement(role, plain[..^HandshakeLayout.SignatureBytes]), expected);
        return why.Length == 0 ? shown : null;
    }

    private string FaultOf(ShownIdentity shown, byte[] statement, NodeId? expected)
    {
        if (shown.Node == self)
            return $"it says that it is this node, {self}";
        if (expected is { } wanted && shown.Node != wanted)
            return $"{shown.Node} is there, not {wanted}";
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificate(shown.Certificate);
            using var key = certificate.GetECDsaPublicKey();
            if (key is null || !IsP256(key))
                return $"{shown.Node}: its certificate has no P-256 key";
            var standing = trust.Judge(shown.Certificate);
            if (standing.Admission != PeerAdmission.Everything)
                return $"{shown.Node}: {standing.Why}";
            if (standing.Node != default && standing.Node != shown.Node)
                return $"it says that it is {shown.Node} and shows the certificate of {standing.Node}";
            return key.VerifyData(statement, shown.Signature, HashAlgorithmName.SHA256) ? "" : $"{shown.Node}: it has not signed this handshake";
        }
        catch (CryptographicException error)
        {
            return $"{shown.Node}: its certificate cannot be read ({error.Message})";
        }
    }

    private static bool IsP256(ECDsa key) =>
        key.KeySize == 256 && key.ExportParameters(includePrivateParameters: false).Curve is { IsNamed: true, Oid.Value: P256 };
}
