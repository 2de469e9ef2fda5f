using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>A node ID in six bytes, for probes that go out all the time: the first 48 bits of its SHA-256. Of a thousand nodes two share a tag
/// once in half a billion sites; the second is refused.</summary>
public readonly record struct MemberTag(ulong Value) : IComparable<MemberTag>
{
    public const int Bytes = 6;

    public const ulong Max = (1UL << (8 * Bytes)) - 1;

    public static MemberTag Of(NodeId node)
    {
        Span<byte> text = stackalloc byte[NodeId.LengthMax];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.ASCII.GetBytes(node.Value, text)], hash);
        return new MemberTag(BinaryPrimitives.ReadUInt64BigEndian(hash) >> (64 - (8 * Bytes)));
    }

    public int CompareTo(MemberTag other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x12", null);
}
