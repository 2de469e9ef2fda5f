using System.Security.Cryptography;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>The P-256 key of one side in one handshake (ECDH of NIST SP 800-56A).</summary>
internal sealed class EphemeralKey : IDisposable
{
    private const int CoordinateBytes = HandshakeLayout.PointBytes / 2;

    private readonly ECDiffieHellman _key = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);

    public EphemeralKey()
    {
        var point = _key.ExportParameters(includePrivateParameters: false).Q;
        Point = [.. point.X!, .. point.Y!];
    }

    /// <summary>x and y.</summary>
    public byte[] Point { get; }

    /// <returns>The x coordinate of what both sides compute, to be cleared; <c>null</c> when <paramref name="point"/> is none of the curve.</returns>
    public byte[]? Agree(ReadOnlySpan<byte> point)
    {
        try
        {
            using var peer = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point[..CoordinateBytes].ToArray(), Y = point[CoordinateBytes..].ToArray() },
            });
            using var peerKey = peer.PublicKey;
            return _key.DeriveRawSecretAgreement(peerKey);
        }
        catch (CryptographicException)
        {
            return null; // the library's only word for a point that is not on the curve
        }
    }

    public void Dispose() => _key.Dispose();
}
