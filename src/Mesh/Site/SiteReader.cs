using System.Buffers.Binary;
using System.Text;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Reads fields of a document or message: integers big endian, byte strings with a length of two bytes. What is too short or too long
/// makes it faulty; then every field is empty.</summary>
internal ref struct SiteReader(ReadOnlySpan<byte> from)
{
    private ReadOnlySpan<byte> _rest = from;

    public bool IsFaulty { get; private set; }

    /// <summary>Read to the end, and nothing was wrong.</summary>
    public readonly bool IsDone => !IsFaulty && _rest.IsEmpty;

    public byte U8() => Take(1) is { IsEmpty: false } bytes ? bytes[0] : (byte)0;

    public ushort U16() => Take(2) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint U32() => Take(4) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    public ulong U64() => Take(8) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : 0;

    public byte[] Fixed(int length) => Take(length).ToArray();

    public byte[] Bytes(int most)
    {
        var length = U16();
        if (length <= most)
            return Take(length).ToArray();
        Fail();
        return [];
    }

    public string Text(int most) => Encoding.UTF8.GetString(Bytes(most));

    public NodeId Node()
    {
        if (!NodeId.TryParse(Text(NodeId.LengthMax), out var node))
            Fail();
        return node;
    }

    /// <returns>A count of at most <paramref name="most"/>; of what a list holds, each of at least <paramref name="bytesEach"/>.</returns>
    public int Count(int most, int bytesEach)
    {
        int count = U16();
        if (count <= most && count * bytesEach <= _rest.Length)
            return count;
        Fail();
        return 0;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (_rest.Length < length)
            Fail();
        if (IsFaulty)
            return [];
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private void Fail()
    {
        IsFaulty = true;
        _rest = [];
    }
}
