using System.Text;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>What one side shows of itself, sealed: length of the node ID (1), node ID, certificate, and a signature (64) at the end.</summary>
/// <param name="Certificate">DER.</param>
internal sealed record ShownIdentity(NodeId Node, byte[] Certificate, byte[] Signature)
{
    /// <returns>All but the signature.</returns>
    public static byte[] Unsigned(NodeId node, ReadOnlySpan<byte> certificate) =>
        [(byte)node.Value.Length, .. Encoding.ASCII.GetBytes(node.Value), .. certificate];

    /// <returns><c>null</c> for anything else, and for a certificate above <see cref="HandshakeLayout.CertificateBytesMax"/>.</returns>
    public static ShownIdentity? Read(ReadOnlySpan<byte> plain)
    {
        if (plain.Length < 1 || plain[0] > NodeId.LengthMax)
            return null;
        var certificateAt = 1 + plain[0];
        var size = plain.Length - certificateAt - HandshakeLayout.SignatureBytes;
        if (size is < 1 or > HandshakeLayout.CertificateBytesMax || !NodeId.TryParse(Encoding.ASCII.GetString(plain[1..certificateAt]), out var node))
            return null;
        return new ShownIdentity(node, plain.Slice(certificateAt, size).ToArray(), plain[^HandshakeLayout.SignatureBytes..].ToArray());
    }
}
