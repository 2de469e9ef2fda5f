using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeFirmware.Contracts.Wire;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>Seals and opens the packets of one session with AES-128-CCM and a tag of 8 bytes (AES_128_CCM_8 of RFC 6655; RFC 3610). Layout: type (1),
/// the receiver's session index (2), the lowest 24 bits of the counter (3), ciphertext, tag (8). What comes before the ciphertext is associated data; the
/// nonce is an IV of the direction (4) and the whole counter (8). An observer sees type, index and counter. Not for concurrent callers.</summary>
/// <remarks>
/// How long a key lasts follows from the bounds in RFC 9147, appendix B: with packets of l blocks, q of them sealed and v forged, confidentiality is lost
/// with (2lq)²/2^128, integrity with v/2^64 + (2l(v+q))²/2^128. Packets here have at most 77 blocks. "Due" is when the next session should be made, "max" is where this
/// one stops. Between the two there is time for a handshake over a slow path.
/// </remarks>
internal sealed class PacketSeal : IDisposable
{
    /// <summary>Largest packet: the IPv6 minimum MTU (1 280) less the IPv6 and UDP headers.</summary>
    public const int PacketBytesMax = 1280 - 40 - 8;

    public const int Overhead = HeaderBytes + TagBytes;
    public const int PlainBytesMax = PacketBytesMax - Overhead;

    /// <summary>RFC 9147, 4.5.3, for AES-128-CCM and records of 2^14 bytes.</summary>
    public const ulong SealedDue = 1UL << 23;

    /// <summary>What the bound gives for packets of <see cref="PacketBytesMax"/> and the same 2^-60.</summary>
    public const ulong SealedMax = 1UL << 26;

    /// <summary>2^-50 for one forgery to pass, as draft-ietf-core-oscore-key-limits has it for this cipher.</summary>
    public const int ForgedDue = 1 << 14;

    /// <summary>2^-44. No less: what one try of a forger is worth does not change with the key, and a low limit would let anyone who can send to this node end
    /// its sessions.</summary>
    public const int ForgedMax = 1 << 20;

    /// <summary>Key and IV of one direction.</summary>
    internal const int SecretBytes = KeyBytes + IvBytes;

    private const int KeyBytes = 16;
    private const int IvBytes = 4;
    private const int NonceBytes = IvBytes + sizeof(ulong);
    private const int HeaderBytes = 1 + 2 + PacketCounter.ShownBits / 8;
    private const int TagBytes = 8;

    private readonly AesCcm _sending;
    private readonly AesCcm _receiving;
    private readonly byte[] _sendingIv;
    private readonly byte[] _receivingIv;
    private readonly ReplayWindow _window = new();

    /// <param name="sending">Key (16) and IV (4); the caller clears them, as those for <paramref name="receiving"/>.</param>
    /// <param name="first">Counter of the first packet; a key is never used twice with the same.</param>
    public PacketSeal(ReadOnlySpan<byte> sending, ReadOnlySpan<byte> receiving, ulong first = 0)
    {
        _sending = new AesCcm(sending[..KeyBytes]);
        _receiving = new AesCcm(receiving[..KeyBytes]);
        _sendingIv = sending[KeyBytes..SecretBytes].ToArray();
        _receivingIv = receiving[KeyBytes..SecretBytes].ToArray();
        Sealed = first;
    }

    /// <summary>Packets sealed so far; the counter of the next one.</summary>
    public ulong Sealed { get; private set; }

    /// <summary>Packets that were not genuine so far, replays apart.</summary>
    public int Forged { get; internal set; }

    /// <summary>The next session should be made now.</summary>
    public bool IsDue => Sealed >= SealedDue || Forged >= ForgedDue || _window.Highest >= SealedDue;

    /// <param name="type">The caller's; above those of the handshake.</param>
    /// <param name="index">Of the session at the receiver.</param>
    /// <param name="plain">1 to <see cref="PlainBytesMax"/>. Never empty: <see cref="AesCcm"/> lets an empty text pass with any tag, by a fault of OpenSSL's (its issue
    /// 32253).</param>
    /// <param name="packet">At least <see cref="Overhead"/> longer.</param>
    /// <returns>Length of the packet; 0 when the key is worn out (<see cref="SealedMax"/>).</returns>
    public int Seal(byte type, ushort index, ReadOnlySpan<byte> plain, Span<byte> packet)
    {
        ArgumentOutOfRangeException.ThrowIfZero(plain.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(plain.Length, PlainBytesMax);
        if (Sealed >= SealedMax)
            return 0;
        var counter = Sealed++;
        packet[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(packet[1..], index);
        (packet[3], packet[4], packet[5]) = ((byte)(counter >> 16), (byte)(counter >> 8), (byte)counter);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(_sendingIv, counter, nonce);
        _sending.Encrypt(nonce, plain, packet.Slice(HeaderBytes, plain.Length), packet.Slice(HeaderBytes + plain.Length, TagBytes), packet[..HeaderBytes]);
        return plain.Length + Overhead;
    }

    /// <param name="plain">At least as long as the packet less <see cref="Overhead"/>.</param>
    /// <param name="length">Bytes in <paramref name="plain"/>; 0 unless genuine.</param>
    public PacketOutcome Open(ReadOnlySpan<byte> packet, Span<byte> plain, out int length)
    {
        length = 0;
        var size = packet.Length - Overhead;
        if (size is <= 0 or > PlainBytesMax)
            return PacketOutcome.Malformed;
        if (Forged >= ForgedMax)
            return PacketOutcome.WornOut;
        var counter = PacketCounter.Expand((uint)(packet[3] << 16 | packet[4] << 8 | packet[5]), _window.Highest);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(_receivingIv, counter, nonce);
        try
        {
            _receiving.Decrypt(nonce, packet.Slice(HeaderBytes, size), packet[^TagBytes..], plain[..size], packet[..HeaderBytes]);
        }
        catch (AuthenticationTagMismatchException)
        {
            Forged++;
            return PacketOutcome.Forged;
        }
        if (!_window.IsFresh(counter))
        {
            plain[..size].Clear();
            return PacketOutcome.Replayed;
        }
        length = size;
        return PacketOutcome.Genuine;
    }

    public void Dispose()
    {
        _sending.Dispose();
        _receiving.Dispose();
        CryptographicOperations.ZeroMemory(_sendingIv);
        CryptographicOperations.ZeroMemory(_receivingIv);
    }

    private static void Nonce(ReadOnlySpan<byte> iv, ulong counter, Span<byte> nonce)
    {
        iv.CopyTo(nonce);
        BinaryPrimitives.WriteUInt64BigEndian(nonce[IvBytes..], counter);
    }
}
