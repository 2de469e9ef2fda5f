using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeFirmware.Platform.Peers;

/// <summary>The TLS identity of the lab profile: a P-256 key derived from the site key, the same on every node of the site. Who can prove
/// that key holds the site key; nobody else completes a handshake. It says nothing of which node is speaking.</summary>
internal static class SiteCertificate
{
    /// <summary>Order n of P-256 (FIPS 186-4, D.1.2.3).</summary>
    private static readonly BigInteger Order = new(
        Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"), isUnsigned: true, isBigEndian: true);

    public static X509Certificate2 Create(ReadOnlySpan<byte> siteKey)
    {
        using var key = DeriveKey(siteKey);
        var request = new CertificateRequest("CN=edge-firmware site", key, HashAlgorithmName.SHA256);
        // Valid always: a node without a clock must not be locked out, and the key is what counts.
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(9999, 12, 31, 0, 0, 0, TimeSpan.Zero));
    }

    /// <summary>Scalar from 64 more bits than the order has, so that the bias of the reduction is negligible (FIPS 186-4, B.4.1).</summary>
    private static ECDsa DeriveKey(ReadOnlySpan<byte> siteKey)
    {
        Span<byte> seed = stackalloc byte[40];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, siteKey, seed, salt: [], "edge-firmware peer TLS v1"u8);
        var scalar = (new BigInteger(seed, isUnsigned: true, isBigEndian: true) % (Order - 1)) + 1;
        var bytes = new byte[32];
        scalar.TryWriteBytes(bytes, out var written, isUnsigned: true, isBigEndian: true);
        if (written < bytes.Length)
        {
            bytes.AsSpan(0, written).CopyTo(bytes.AsSpan(bytes.Length - written));
            bytes.AsSpan(0, bytes.Length - written).Clear();
        }
        return ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = bytes });
    }
}
