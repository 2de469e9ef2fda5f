using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Encrypts and authenticates gossip with AES-256-GCM (NIST SP 800-38D) under the site key. Each run of a node draws a salt and
/// derives its own key from it (HKDF, RFC 5869), so a counter is a nonce that no other run can repeat; the counter also lets a
/// receiver refuse a datagram it has seen. Layout: version 1, salt 16, counter 8, ciphertext, tag 16.</summary>
public sealed class DatagramSeal : IDisposable
{
    public const int KeyBytes = 32;
    public const int Overhead = 1 + SaltBytes + CounterBytes + TagBytes;

    /// <summary>Largest datagram we send: the IPv6 minimum MTU (1 280) less the IPv6 and UDP headers.</summary>
    public const int DatagramBytesMax = 1280 - 40 - 8;

    private const byte Version = 1;
    private const int SaltBytes = 16;
    private const int CounterBytes = 8;
    private const int TagBytes = 16;

    /// <summary>Sender keys kept; a stranger cannot add one, since a key is kept only after a datagram under it was authentic.</summary>
    private const int SendersMax = 8192;

    private readonly byte[] _siteKey;
    private readonly byte[] _salt = new byte[SaltBytes];
    private readonly AesGcm _own;
    private readonly Dictionary<UInt128, Sender> _senders = [];
    private ulong _counter;

    public DatagramSeal(ReadOnlySpan<byte> siteKey)
    {
        if (siteKey.Length != KeyBytes)
            throw new ArgumentException($"the site key is {KeyBytes} bytes");
        _siteKey = siteKey.ToArray();
        RandomNumberGenerator.Fill(_salt);
        _own = new AesGcm(DeriveKey(_salt), TagBytes);
    }

    /// <returns>Length of the sealed datagram in <paramref name="sealedDatagram"/>.</returns>
    public int Seal(ReadOnlySpan<byte> plain, Span<byte> sealedDatagram)
    {
        var counter = ++_counter;
        sealedDatagram[0] = Version;
        _salt.CopyTo(sealedDatagram[1..]);
        BinaryPrimitives.WriteUInt64BigEndian(sealedDatagram[(1 + SaltBytes)..], counter);
        var header = sealedDatagram[..(1 + SaltBytes + CounterBytes)];
        var body = sealedDatagram.Slice(header.Length, plain.Length);
        Span<byte> nonce = stackalloc byte[12];
        Nonce(counter, nonce);
        _own.Encrypt(nonce, plain, body, sealedDatagram.Slice(header.Length + plain.Length, TagBytes), header);
        return plain.Length + Overhead;
    }

    public OpenOutcome Open(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = datagram.Length - Overhead;
        if (length <= 0 || datagram[0] != Version || plain.Length < length)
            return OpenOutcome.Malformed;
        var header = datagram[..(1 + SaltBytes + CounterBytes)];
        var salt = header.Slice(1, SaltBytes);
        var counter = BinaryPrimitives.ReadUInt64BigEndian(header[(1 + SaltBytes)..]);
        var id = BinaryPrimitives.ReadUInt128BigEndian(salt);
        var known = _senders.TryGetValue(id, out var sender);
        sender ??= new Sender(new AesGcm(DeriveKey(salt), TagBytes));
        Span<byte> nonce = stackalloc byte[12];
        Nonce(counter, nonce);
        try
        {
            sender.Key.Decrypt(nonce, datagram.Slice(header.Length, length), datagram[^TagBytes..], plain[..length], header);
        }
        catch (AuthenticationTagMismatchException)
        {
            if (!known)
                sender.Key.Dispose();
            return OpenOutcome.Forged;
        }
        if (!known)
            Keep(id, sender);
        return sender.Window.IsFresh(counter) ? OpenOutcome.Genuine : OpenOutcome.Replayed;
    }

    public void Dispose()
    {
        _own.Dispose();
        foreach (var sender in _senders.Values)
            sender.Key.Dispose();
        CryptographicOperations.ZeroMemory(_siteKey);
    }

    private void Keep(UInt128 id, Sender sender)
    {
        if (_senders.Count >= SendersMax)
        {
            foreach (var old in _senders.Values)
                old.Key.Dispose();
            _senders.Clear();
        }
        _senders.Add(id, sender);
    }

    private byte[] DeriveKey(ReadOnlySpan<byte> salt)
    {
        var key = new byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _siteKey, key, salt, "edge-firmware gossip v1"u8);
        return key;
    }

    private static void Nonce(ulong counter, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], counter);
    }

    private sealed record Sender(AesGcm Key)
    {
        public ReplayWindow Window { get; } = new();
    }
}

public enum OpenOutcome
{
    Genuine,

    /// <summary>Too short, too long, or another version.</summary>
    Malformed,

    /// <summary>Not made with the site's key, or changed on the way.</summary>
    Forged,

    /// <summary>Seen before, or too old to tell.</summary>
    Replayed,
}
