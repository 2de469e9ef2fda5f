using System.Buffers.Binary;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Sealing;

/// <summary>The three datagrams of a handshake, big endian. First: type, version, initiator's session index (2), its ephemeral point (64). Second: type, both
/// indices, responder's point, sealed identity. Third: type, responder's index, sealed identity. In all but the first, as in packets, bytes 1 and 2 are the receiver's
/// index.</summary>
internal static class HandshakeLayout
{
    public const byte First = 1;
    public const byte Second = 2;
    public const byte Third = 3;

    public const byte Version = 1;

    /// <summary>x and y of a point of P-256.</summary>
    public const int PointBytes = 64;

    /// <summary>ECDSA P-256 in IEEE P1363 form.</summary>
    public const int SignatureBytes = 64;

    /// <summary>Of AES-256-GCM.</summary>
    public const int TagBytes = 16;

    public const int FirstBytes = 1 + 1 + 2 + PointBytes;
    public const int SecondHeaderBytes = 1 + 2 + 2 + PointBytes;
    public const int ThirdHeaderBytes = 1 + 2;

    /// <summary>What fits beside the longest node ID: 1 001. A site's have about 430.</summary>
    public const int CertificateBytesMax = PacketSeal.PacketBytesMax - SecondHeaderBytes - 1 - NodeId.LengthMax - SignatureBytes - TagBytes;

    /// <summary>An identity has a length byte, the shortest node ID (a letter, a slash, a MAC), a byte of a certificate and a signature.</summary>
    private const int SealedBytesMin = 1 + 19 + 1 + SignatureBytes + TagBytes;

    public static byte[] MakeFirst(ushort initiator, ReadOnlySpan<byte> point)
    {
        byte[] first = [First, Version, 0, 0, .. point];
        BinaryPrimitives.WriteUInt16BigEndian(first.AsSpan(2), initiator);
        return first;
    }

    public static byte[] MakeSecondHeader(ushort initiator, ushort responder, ReadOnlySpan<byte> point)
    {
        byte[] header = [Second, 0, 0, 0, 0, .. point];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(1), initiator);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(3), responder);
        return header;
    }

    public static byte[] MakeThirdHeader(ushort responder)
    {
        byte[] header = [Third, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(1), responder);
        return header;
    }

    /// <summary>Of any version.</summary>
    public static bool IsFirst(ReadOnlySpan<byte> datagram) => datagram.Length == FirstBytes && datagram[0] == First;

    public static bool IsSecond(ReadOnlySpan<byte> datagram, ushort initiator) =>
        datagram.Length is >= SecondHeaderBytes + SealedBytesMin and <= PacketSeal.PacketBytesMax
        && datagram[0] == Second && BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]) == initiator;

    public static bool IsThird(ReadOnlySpan<byte> datagram, ushort responder) =>
        datagram.Length is >= ThirdHeaderBytes + SealedBytesMin and <= PacketSeal.PacketBytesMax
        && datagram[0] == Third && BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]) == responder;

    public static byte VersionOf(ReadOnlySpan<byte> first) => first[1];

    /// <summary>The sender's index, which the first and the second datagram show.</summary>
    public static ushort SenderOf(ReadOnlySpan<byte> firstOrSecond) =>
        BinaryPrimitives.ReadUInt16BigEndian(firstOrSecond[(firstOrSecond[0] == First ? 2 : 3)..]);

    public static ReadOnlySpan<byte> PointOf(ReadOnlySpan<byte> firstOrSecond) =>
        firstOrSecond.Slice((firstOrSecond[0] == First ? FirstBytes : SecondHeaderBytes) - PointBytes, PointBytes);
}
