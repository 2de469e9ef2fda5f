using System.Buffers.Binary;
using System.Net;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Reads what <see cref="WireWriter"/> wrote. After anything else, from anyone, it has failed and gives zeros: it never throws and never
/// reads past the end.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;

    public bool HasFailed { get; private set; }

    public readonly bool IsAtEnd => !HasFailed && _at == _data.Length;

    public void Fail() => HasFailed = true;

    public byte Byte() => Has(1) ? _data[_at++] : (byte)0;

    public ushort UInt16()
    {
        if (!Has(2))
            return 0;
        _at += 2;
        return BinaryPrimitives.ReadUInt16BigEndian(_data[(_at - 2)..]);
    }

    public uint UInt32()
    {
        if (!Has(4))
            return 0;
        _at += 4;
        return BinaryPrimitives.ReadUInt32BigEndian(_data[(_at - 4)..]);
    }

    public MemberTag Tag()
    {
        var high = (ulong)UInt16() << 32;
        return new MemberTag(high | UInt32());
    }

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (!Has(count))
            return [];
        _at += count;
        return _data.Slice(_at - count, count);
    }

    public NodeId Node()
    {
        if (NodeId.TryParse(Text(NodeId.LengthMax), out var id))
            return id;
        HasFailed = true;
        return default;
    }

    public string Text(int bytesMax)
    {
        int size = Byte();
        if (size > bytesMax)
            HasFailed = true;
        var bytes = Bytes(size);
        if (!HasFailed && System.Text.Unicode.Utf8.IsValid(bytes))
            return Encoding.UTF8.GetString(bytes);
        HasFailed = true;
        return "";
    }

    public IPEndPoint Endpoint()
    {
        int size = Byte();
        if (size is not (4 or 16))
            HasFailed = true;
        var address = Bytes(size);
        var port = UInt16();
        return HasFailed ? new IPEndPoint(IPAddress.None, 0) : new IPEndPoint(new IPAddress(address), port);
    }

    private bool Has(int count)
    {
        if (!HasFailed && count <= _data.Length - _at)
            return true;
        HasFailed = true;
        return false;
    }
}
