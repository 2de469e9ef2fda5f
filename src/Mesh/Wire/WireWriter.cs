using System.Buffers.Binary;
using System.Net;
using System.Text;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Big-endian integers, texts with a length byte. Throws <see cref="IndexOutOfRangeException"/> or <see cref="ArgumentException"/> when the
/// buffer is too small: our own bug, since what is written is bounded.</summary>
internal ref struct WireWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    public int Length { get; private set; }

    public void Byte(byte value) => _buffer[Length++] = value;

    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[Length..], value);
        Length += 2;
    }

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[Length..], value);
        Length += 4;
    }

    public void Tag(MemberTag tag)
    {
        UInt16((ushort)(tag.Value >> 32));
        UInt32((uint)tag.Value);
    }

    public void Bytes(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Length..]);
        Length += bytes.Length;
    }

    /// <summary>What does not fit is cut at a character.</summary>
    public void Text(ReadOnlySpan<char> text, int bytesMax = byte.MaxValue)
    {
        while (Encoding.UTF8.GetByteCount(text) > bytesMax)
            text = text[..^(text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)];
        var size = Encoding.UTF8.GetBytes(text, _buffer[(Length + 1)..]);
        Byte((byte)size);
        Length += size;
    }

    public void Endpoint(IPEndPoint endpoint)
    {
        var address = endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
        address.TryWriteBytes(_buffer[(Length + 1)..], out var size);
        Byte((byte)size);
        Length += size;
        UInt16((ushort)endpoint.Port);
    }
}
