using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeFirmware.Contracts.Wire;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Encrypts and authenticates gossip with AES-256-GCM (NIST SP 800-38D) under the site's gossip keys: sends with one, opens what was
/// sent with any it holds. Layout: version and key (1), salt (8), counter (4), ciphertext, tag (16). A run of a node draws a salt and
/// derives a key of its own from it (HKDF, RFC 5869), so the counter alone makes a nonce that no other run repeats, and a receiver takes
/// each counter once. When the counter has run out a new salt is drawn.</summary>
/// <remarks>A salt that two runs share would repeat nonces: with 8 bytes the chance is 4·10⁻⁷ for a million nodes' lives (3.6 million runs)
/// under one gossip key, and a key is not used for so long.</remarks>
public sealed class DatagramSeal : IDisposable
{
    public const int KeyBytes = 32;
    public const int Overhead = HeaderBytes + TagBytes;

    /// <summary>Largest datagram we send: the IPv6 minimum MTU (1 280) less the IPv6 and UDP headers.</summary>
    public const int DatagramBytesMax = 1280 - 40 - 8;

    /// <summary>In the high four bits of the first byte; the low four name the key.</summary>
    private const byte Version = 0x20;
    private const int SaltBytes = 8;
    private const int CounterBytes = 4;
    private const int HeaderBytes = 1 + SaltBytes + CounterBytes;
    private const int TagBytes = 16;
    private const int NonceBytes = 12;

    private readonly List<HeldKey> _held = [];
    private HeldKey _sending;
    private AesGcm _own;
    private ulong _salt;

    /// <summary>With one key, number 0, that is never replaced.</summary>
    public DatagramSeal(ReadOnlySpan<byte> siteKey)
        : this([new GossipKey(0, siteKey.ToArray())], 0)
    {
    }

    /// <summary>Datagrams sealed under the present salt.</summary>
    internal uint Sent { get; set; }

    /// <inheritdoc cref="Use"/>
    public DatagramSeal(IReadOnlyList<GossipKey> keys, uint sendWith)
    {
        _sending = null!;
        _own = null!;
        Use(keys, sendWith);
    }

    /// <summary>From now on opens under these keys only, and seals under one of them. What was seen under a key that stays is still known.</summary>
    /// <param name="keys">1 to <see cref="GossipKey.HeldMax"/>, which differ in the bits that a datagram shows.</param>
    public void Use(IReadOnlyList<GossipKey> keys, uint sendWith)
    {
        Check(keys, sendWith);
        for (var i = _held.Count - 1; i >= 0; i--)
            if (!Has(keys, _held[i].Key))
            {
                _held[i].Dispose();
                _held.RemoveAt(i);
            }
        foreach (var key in keys)
            if (Find((byte)(key.Number & GossipKey.NumberMask)) is null)
                _held.Add(new HeldKey(key));
        var sending = Find((byte)(sendWith & GossipKey.NumberMask))!;
        if (ReferenceEquals(sending, _sending))
            return;
        _sending = sending;
        DrawSalt();
    }

    /// <returns>Length of the sealed datagram in <paramref name="sealedDatagram"/>.</returns>
    public int Seal(ReadOnlySpan<byte> plain, Span<byte> sealedDatagram)
    {
        if (Sent == uint.MaxValue)
            DrawSalt();
        Sent++;
        sealedDatagram[0] = (byte)(Version | (_sending.Key.Number & GossipKey.NumberMask));
        BinaryPrimitives.WriteUInt64BigEndian(sealedDatagram[1..], _salt);
        BinaryPrimitives.WriteUInt32BigEndian(sealedDatagram[(1 + SaltBytes)..], Sent);
        var header = sealedDatagram[..HeaderBytes];
        var body = sealedDatagram.Slice(HeaderBytes, plain.Length);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(Sent, nonce);
        _own.Encrypt(nonce, plain, body, sealedDatagram.Slice(HeaderBytes + plain.Length, TagBytes), header);
        return plain.Length + Overhead;
    }

    public OpenOutcome Open(ReadOnlySpan<byte> datagram, Span<byte> plain, out int length)
    {
        length = datagram.Length - Overhead;
        if (length <= 0 || (datagram[0] & ~GossipKey.NumberMask) != Version || plain.Length < length)
            return OpenOutcome.Malformed;
        if (Find((byte)(datagram[0] & GossipKey.NumberMask)) is not { } key)
            return OpenOutcome.UnknownKey;
        var header = datagram[..HeaderBytes];
        var salt = BinaryPrimitives.ReadUInt64BigEndian(header[1..]);
        var counter = BinaryPrimitives.ReadUInt32BigEndian(header[(1 + SaltBytes)..]);
        var known = key.Senders.TryGetValue(salt, out var sender);
        sender ??= new SenderKey(key.Derive(salt));
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(counter, nonce);
        try
        {
            sender.Cipher.Decrypt(nonce, datagram.Slice(HeaderBytes, length), datagram[^TagBytes..], plain[..length], header);
        }
        catch (AuthenticationTagMismatchException)
        {
            if (!known)
                sender.Cipher.Dispose();
            return OpenOutcome.Forged;
        }
        if (!known)
            key.Keep(salt, sender);
        sender.LastUse = ++key.Uses;
        return sender.Window.IsFresh(counter) ? OpenOutcome.Genuine : OpenOutcome.Replayed;
    }

    public void Dispose()
    {
        _own.Dispose();
        foreach (var held in _held)
            held.Dispose();
    }

    private static void Check(IReadOnlyList<GossipKey> keys, uint sendWith)
    {
        if (keys.Count is 0 or > GossipKey.HeldMax)
            throw new ArgumentException($"1 to {GossipKey.HeldMax} gossip keys are held at a time");
        var shown = 0;
        var sends = false;
        foreach (var key in keys)
        {
            if (key.Secret.Length != KeyBytes)
                throw new ArgumentException($"the site key is {KeyBytes} bytes");
            var bit = 1 << (int)(key.Number & GossipKey.NumberMask);
            if ((shown & bit) != 0)
                throw new ArgumentException("two gossip keys look the same in a datagram");
            shown |= bit;
            sends |= key.Number == sendWith;
        }
        if (!sends)
            throw new ArgumentException($"there is no gossip key {sendWith} to send with");
    }

    private static bool Has(IReadOnlyList<GossipKey> keys, GossipKey held)
    {
        foreach (var key in keys)
            if (key.Number == held.Number && key.Secret.AsSpan().SequenceEqual(held.Secret))
                return true;
        return false;
    }

    private HeldKey? Find(byte shown)
    {
        foreach (var held in _held)
            if ((held.Key.Number & GossipKey.NumberMask) == shown)
                return held;
        return null;
    }

    private void DrawSalt()
    {
        Span<byte> salt = stackalloc byte[SaltBytes];
        RandomNumberGenerator.Fill(salt);
        _salt = BinaryPrimitives.ReadUInt64BigEndian(salt);
        Sent = 0;
        _own?.Dispose();
        _own = _sending.Derive(_salt);
    }

    private static void Nonce(uint counter, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt32BigEndian(nonce[(NonceBytes - CounterBytes)..], counter);
    }

    private sealed record SenderKey(AesGcm Cipher)
    {
        public ReplayWindow Window { get; } = new();

        public ulong LastUse { get; set; }
    }

    private sealed class HeldKey : IDisposable
    {
        /// <summary>Runs of senders kept; a stranger cannot add one, since a run is kept only after a datagram of it was authentic.</summary>
        private const int SendersMax = 8192;

        // A copy: whoever gave it may clear his.
        public HeldKey(GossipKey key) => Key = key with { Secret = (byte[])key.Secret.Clone() };

        public GossipKey Key { get; }

        public Dictionary<ulong, SenderKey> Senders { get; } = [];

        public ulong Uses { get; set; }

        public AesGcm Derive(ulong salt)
        {
            Span<byte> bytes = stackalloc byte[SaltBytes];
            BinaryPrimitives.WriteUInt64BigEndian(bytes, salt);
            Span<byte> derived = stackalloc byte[KeyBytes];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, Key.Secret, derived, bytes, "edge-firmware gossip v2"u8);
            return new AesGcm(derived, TagBytes);
        }

        /// <summary>The run that has been silent for longest makes room.</summary>
        public void Keep(ulong salt, SenderKey sender)
        {
            if (Senders.Count >= SendersMax)
            {
                var oldest = 0UL;
                var use = ulong.MaxValue;
                foreach (var (other, kept) in Senders)
                    if (kept.LastUse < use)
                        (oldest, use) = (other, kept.LastUse);
                Senders.Remove(oldest, out var silent);
                silent!.Cipher.Dispose();
            }
            Senders.Add(salt, sender);
        }

        public void Dispose()
        {
            foreach (var sender in Senders.Values)
                sender.Cipher.Dispose();
            CryptographicOperations.ZeroMemory(Key.Secret);
        }
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

    /// <summary>Under a key that is not held here: one that is new, one that has been retired, or another site's.</summary>
    UnknownKey,
}
