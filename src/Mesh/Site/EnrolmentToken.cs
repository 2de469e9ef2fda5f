using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What a person carries to a new node: who the site is, and a secret that lets one node in, once, for a while. One line:
/// <c>edge1-</c> and, in base64url, secret (16), authority's fingerprint (32), expiry in minutes since 1970 (4).</summary>
/// <param name="Secret">Never sent and never kept: see <see cref="Verifier"/>.</param>
/// <param name="Authority">SHA-256 of its certificate.</param>
/// <param name="Expires">Milliseconds since 1970.</param>
public sealed record EnrolmentToken(byte[] Secret, byte[] Authority, long Expires)
{
    public const int SecretBytes = 16;

    private const string Prefix = "edge1-";
    private const int FingerprintBytes = 32;
    private const int Bytes = SecretBytes + FingerprintBytes + 4;
    private const long Minute = 60_000;

    public static EnrolmentToken Create(Certificate authority, long now, TimeSpan validity) =>
        new(RandomNumberGenerator.GetBytes(SecretBytes), authority.Fingerprint, (now + (long)validity.TotalMilliseconds) / Minute * Minute);

    /// <summary>What the issuer keeps: enough to see that somebody knows the secret.</summary>
    public byte[] Verifier => SHA256.HashData([.. "edge-firmware enrolment v1"u8, .. Secret]);

    public override string ToString()
    {
        var bytes = new byte[Bytes];
        Secret.CopyTo(bytes, 0);
        Authority.CopyTo(bytes, SecretBytes);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(SecretBytes + FingerprintBytes), (uint)(Expires / Minute));
        return Prefix + Base64Url.EncodeToString(bytes);
    }

    public static EnrolmentToken? Parse(string text)
    {
        text = text.Trim();
        Span<byte> bytes = stackalloc byte[Bytes];
        if (text.Length > 100 || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || !Base64Url.IsValid(text.AsSpan(Prefix.Length)) || !Base64Url.TryDecodeFromChars(text.AsSpan(Prefix.Length), bytes, out var length) || length != Bytes)
            return null;
        return new EnrolmentToken(
            bytes[..SecretBytes].ToArray(), bytes.Slice(SecretBytes, FingerprintBytes).ToArray(),
            BinaryPrimitives.ReadUInt32BigEndian(bytes[(SecretBytes + FingerprintBytes)..]) * Minute);
    }

    /// <summary>Which of the tokens it is, without a word of the secret.</summary>
    internal static byte[] IdOf(byte[] verifier) => SHA256.HashData([.. verifier, .. "id"u8])[..TokenBook.IdBytes];

    /// <summary>Shows that the asker knows the secret, to this server only and for this key only: a node between the two, even one of the site,
    /// shows another certificate, and what it passes on proves nothing.</summary>
    internal static byte[] Prove(byte[] verifier, EnrolmentOffer offer, ReadOnlySpan<byte> serverCertificate, ReadOnlySpan<byte> nonce, string node, ReadOnlySpan<byte> request) =>
        HMACSHA256.HashData(verifier, new SiteWriter().Fixed("proof"u8).Fixed(offer.Nonce).Fixed(nonce).Fixed(SHA256.HashData(serverCertificate))
            .Bytes(Encoding.UTF8.GetBytes(node)).Fixed(SHA256.HashData(request)).ToArray());
}
