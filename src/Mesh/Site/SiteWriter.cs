using System.Buffers.Binary;
using System.Text;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Writes what <see cref="SiteReader"/> reads.</summary>
internal sealed class SiteWriter
{
    private byte[] _bytes = new byte[256];
    private int _length;

    public SiteWriter U8(byte value)
    {
        Grow(1)[0] = value;
        return this;
    }

    public SiteWriter U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Grow(2), value);
        return this;
    }

    public SiteWriter U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Grow(4), value);
        return this;
    }

    public SiteWriter U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Grow(8), value);
        return this;
    }

    public SiteWriter Fixed(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Grow(value.Length));
        return this;
    }

    public SiteWriter Bytes(ReadOnlySpan<byte> value) => U16(checked((ushort)value.Length)).Fixed(value);

    public SiteWriter Text(string value) => Bytes(Encoding.UTF8.GetBytes(value));

    public SiteWriter Node(NodeId value) => Text(value.Value);

    public byte[] ToArray() => _bytes.AsSpan(0, _length).ToArray();

    private Span<byte> Grow(int count)
    {
        if (_length + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}
