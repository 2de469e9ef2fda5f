using System.Security.Cryptography;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>What both sides of a handshake know and nobody else: the secret agreed on, and a running hash of all that was said. Keys are derived with
/// HKDF-SHA-256 (RFC 5869) for a purpose, a role and the transcript up to then; the handshake's own seal one text each.</summary>
internal sealed class HandshakeSecrets : IDisposable
{
    private const int HashBytes = SHA256.HashSizeInBytes;
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;

    private readonly byte[] _secret;
    private byte[] _transcript;

    private HandshakeSecrets(byte[] secret, byte[] transcript)
    {
        _secret = secret;
        _transcript = transcript;
    }

    /// <param name="first">The first datagram.</param>
    /// <param name="secondHeader">Of the second one, what is not sealed.</param>
    /// <returns><c>null</c> when <paramref name="peerPoint"/> is none of the curve.</returns>
    public static HandshakeSecrets? Agree(EphemeralKey own, ReadOnlySpan<byte> peerPoint, ReadOnlySpan<byte> first, ReadOnlySpan<byte> secondHeader)
    {
        if (own.Agree(peerPoint) is not { } agreed)
            return null;
        var transcript = SHA256.HashData([.. "edge-firmware overlay handshake v1"u8, .. first, .. secondHeader]);
        var secret = new byte[HashBytes];
        HKDF.Extract(HashAlgorithmName.SHA256, agreed, transcript, secret);
        CryptographicOperations.ZeroMemory(agreed);
        return new HandshakeSecrets(secret, transcript);
    }

    /// <summary>What a side signs: its role, the transcript, and a MAC of its identity that only the two sides of this exchange can make. With the MAC a signature
    /// proves who shares the secret, not only who saw the exchange (Krawczyk 2003, section 5; RFC 7296, 2.15).</summary>
    public byte[] Statement(HandshakeRole role, ReadOnlySpan<byte> identity)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        Derive("identity mac"u8, (byte)role, key);
        byte[] statement = [.. "edge-firmware overlay identity v1"u8, (byte)role, .. _transcript, .. HMACSHA256.HashData(key, identity)];
        CryptographicOperations.ZeroMemory(key);
        return statement;
    }

    /// <returns>The datagram.</returns>
    public byte[] Seal(HandshakeRole role, ReadOnlySpan<byte> header, ReadOnlySpan<byte> plain)
    {
        var datagram = new byte[header.Length + plain.Length + HandshakeLayout.TagBytes];
        header.CopyTo(datagram);
        Span<byte> secret = stackalloc byte[KeyBytes + NonceBytes];
        using var cipher = Cipher(role, secret);
        cipher.Encrypt(secret[KeyBytes..], plain, datagram.AsSpan(header.Length, plain.Length), datagram.AsSpan(header.Length + plain.Length), header);
        CryptographicOperations.ZeroMemory(secret);
        return datagram;
    }

    /// <returns>What was sealed; <c>null</c> when that was done with another secret, or it was changed.</returns>
    public byte[]? Open(HandshakeRole role, ReadOnlySpan<byte> datagram, int headerBytes)
    {
        var plain = new byte[datagram.Length - headerBytes - HandshakeLayout.TagBytes];
        Span<byte> secret = stackalloc byte[KeyBytes + NonceBytes];
        using var cipher = Cipher(role, secret);
        try
        {
            cipher.Decrypt(secret[KeyBytes..], datagram.Slice(headerBytes, plain.Length), datagram[^HandshakeLayout.TagBytes..], plain, datagram[..headerBytes]);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>From now on this identity, with its signature, is part of the transcript.</summary>
    public void Absorb(ReadOnlySpan<byte> plain) => _transcript = SHA256.HashData([.. _transcript, .. plain]);

    /// <summary>After both identities.</summary>
    public PacketSeal Session(HandshakeRole own)
    {
        Span<byte> secrets = stackalloc byte[2 * PacketSeal.SecretBytes];
        var initiators = secrets[..PacketSeal.SecretBytes];
        var responders = secrets[PacketSeal.SecretBytes..];
        Derive("packets"u8, (byte)HandshakeRole.Initiator, initiators);
        Derive("packets"u8, (byte)HandshakeRole.Responder, responders);
        var seal = own == HandshakeRole.Initiator ? new PacketSeal(initiators, responders) : new PacketSeal(responders, initiators);
        CryptographicOperations.ZeroMemory(secrets);
        return seal;
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);

    private AesGcm Cipher(HandshakeRole role, Span<byte> secret)
    {
        Derive("identity seal"u8, (byte)role, secret);
        return new AesGcm(secret[..KeyBytes], HandshakeLayout.TagBytes);
    }

    private void Derive(ReadOnlySpan<byte> purpose, byte role, Span<byte> key) =>
        HKDF.Expand(HashAlgorithmName.SHA256, _secret, key, [.. "edge-firmware overlay "u8, .. purpose, role, .. _transcript]);
}
