using System.Security.Cryptography;
using System.Text;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Bytes with the signature of a P-256 key at their end (ECDSA with SHA-256, IEEE P1363 form). What they are for is signed with them, so
/// that one kind of document is never taken for another.</summary>
internal static class SignedDocument
{
    public const int SignatureBytes = 64;

    /// <summary>The longest: a full revocation list.</summary>
    public const int BytesMax = 60 * 1024;

    public static byte[] Seal(byte[] content, string purpose, ECDsa key) => [.. content, .. Sign(content, purpose, key)];

    public static byte[] Sign(ReadOnlySpan<byte> content, string purpose, ECDsa key) => key.SignData(Statement(content, purpose), HashAlgorithmName.SHA256);

    public static bool IsGenuine(ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature, string purpose, ECDsa key) =>
        signature.Length == SignatureBytes && key.VerifyData(Statement(content, purpose), signature, HashAlgorithmName.SHA256);

    /// <returns>The content, or <c>null</c> when the authority has not signed it for this purpose.</returns>
    public static byte[]? Open(byte[] document, string purpose, Certificate authority)
    {
        if (document.Length is <= SignatureBytes or > BytesMax)
            return null;
        using var key = authority.OpenKey();
        var content = document.AsSpan(0, document.Length - SignatureBytes);
        return IsGenuine(content, document.AsSpan(content.Length), purpose, key) ? content.ToArray() : null;
    }

    private static byte[] Statement(ReadOnlySpan<byte> content, string purpose) => [.. Encoding.ASCII.GetBytes(purpose), 0, .. content];
}
