using System.Security.Cryptography;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What is said while a node is enrolled; the first byte of the frame tells which. The server speaks first.</summary>
public abstract record EnrolmentMessage
{
    public const int NonceBytes = 32;

    private const int ProofBytes = 32;
    private const int RequestBytesMax = 2048;

    /// <returns><c>null</c> for what is no such message.</returns>
    public static EnrolmentMessage? Read(byte type, ReadOnlySpan<byte> body)
    {
        var reader = new SiteReader(body);
        EnrolmentMessage? read = type switch
        {
            1 => new EnrolmentOffer(reader.Fixed(NonceBytes), reader.Bytes(Certificate.BytesMax)),
            2 => new EnrolmentRequest(
                reader.Fixed(TokenBook.IdBytes), reader.Fixed(NonceBytes), reader.Node(), reader.Bytes(RequestBytesMax), reader.Fixed(ProofBytes)),
            3 => new EnrolmentGrant(reader.Bytes(Certificate.BytesMax), reader.Bytes(SignedDocument.BytesMax), reader.Bytes(SignedDocument.BytesMax)),
            4 => new EnrolmentRefusal(reader.Text(EnrolmentRefusal.WhyLengthMax)),
            _ => null,
        };
        return reader.IsDone ? read : null;
    }

    /// <returns>The frame's type and body.</returns>
    public (byte Type, byte[] Body) Write() => this switch
    {
        EnrolmentOffer offer => (1, new SiteWriter().Fixed(offer.Nonce).Bytes(offer.Authority).ToArray()),
        EnrolmentRequest asked => (2, new SiteWriter().Fixed(asked.TokenId).Fixed(asked.Nonce).Node(asked.Node).Bytes(asked.CertificateRequest).Fixed(asked.Proof).ToArray()),
        EnrolmentGrant grant => (3, new SiteWriter().Bytes(grant.Certificate).Bytes(grant.Keys).Bytes(grant.Revocations).ToArray()),
        EnrolmentRefusal refusal => (4, new SiteWriter().Text(refusal.Why).ToArray()),
        _ => throw new InvalidOperationException($"{GetType().Name} is never sent"),
    };
}

/// <param name="Nonce">Drawn for this conversation.</param>
/// <param name="Authority">The site's certificate, whose fingerprint the token has.</param>
public sealed record EnrolmentOffer(byte[] Nonce, byte[] Authority) : EnrolmentMessage
{
    public static EnrolmentOffer From(Certificate authority) => new(RandomNumberGenerator.GetBytes(NonceBytes), authority.Der);
}

/// <param name="CertificateRequest">PKCS#10.</param>
/// <param name="Proof">See <see cref="EnrolmentToken.Prove"/>.</param>
public sealed record EnrolmentRequest(byte[] TokenId, byte[] Nonce, NodeId Node, byte[] CertificateRequest, byte[] Proof) : EnrolmentMessage
{
    public static EnrolmentRequest From(EnrolmentToken token, EnrolmentOffer offer, byte[] serverCertificate, NodeId node, ECDsa key)
    {
        var verifier = token.Verifier;
        var nonce = RandomNumberGenerator.GetBytes(NonceBytes);
        var request = SiteAuthority.RequestFor(node, key);
        return new EnrolmentRequest(
            EnrolmentToken.IdOf(verifier), nonce, node, request, EnrolmentToken.Prove(verifier, offer, serverCertificate, nonce, node.Value, request));
    }
}

/// <param name="Keys">See <see cref="GossipKeys"/>.</param>
/// <param name="Revocations">See <see cref="RevocationList"/>.</param>
public sealed record EnrolmentGrant(byte[] Certificate, byte[] Keys, byte[] Revocations) : EnrolmentMessage;

/// <param name="Why">At most <see cref="WhyLengthMax"/>, ASCII.</param>
public sealed record EnrolmentRefusal(string Why) : EnrolmentMessage
{
    public const int WhyLengthMax = 200;
}
