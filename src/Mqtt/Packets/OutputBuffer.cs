using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>
/// Encoded packets waiting to be sent. Its memory is rented with the first byte and given away whole, so an idle connection holds none.
/// Lengths are written after what they measure: a placeholder of the expected width is corrected by moving the bytes behind it.
/// </summary>
internal sealed class OutputBuffer
{
    private const int FirstRentBytes = 512;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <inheritdoc cref="Written"/>
    public Span<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Hands the first bytes to the caller, in a rented array likewise, and keeps the rest.</summary>
    public ArraySegment<byte> Detach(int count)
    {
        var rest = Length - count;
        if (rest == 0) return Detach();
        var kept = ArrayPool<byte>.Shared.Rent(Math.Max(FirstRentBytes, rest));
        _bytes.AsSpan(count, rest).CopyTo(kept);
        var detached = new ArraySegment<byte>(_bytes, 0, count);
        _bytes = kept;
        Length = rest;
        return detached;
    }

    /// <summary>Hands the rented array to the caller, who returns it to the shared pool.</summary>
    public ArraySegment<byte> Detach()
    {
        var detached = new ArraySegment<byte>(_bytes, 0, Length);
        _bytes = [];
        Length = 0;
        return detached;
    }

    public void Clear()
    {
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
    }

    /// <summary>Forgets everything written after <paramref name="length"/>.</summary>
    public void Truncate(int length) => Length = length;

    public void WriteByte(byte value) => Reserve(1)[0] = value;

    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    public void WriteVariable(uint value) => VariableInteger.Write(Reserve(VariableInteger.Width(value)), value);

    public void WriteBytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>Length-prefixed bytes.</summary>
    /// <exception cref="ArgumentException">Longer than the 65535 bytes the prefix can say: a bug of the caller.</exception>
    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > ushort.MaxValue) throw new ArgumentException("Longer than 65535 bytes.", nameof(bytes));
        WriteUInt16((ushort)bytes.Length);
        WriteBytes(bytes);
    }

    /// <inheritdoc cref="WriteBinary"/>
    public void WriteString(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > ushort.MaxValue) throw new ArgumentException("Longer than 65535 bytes.", nameof(text));
        WriteUInt16((ushort)bytes);
        Encoding.UTF8.GetBytes(text, Reserve(bytes));
    }

    /// <summary>Starts something with a length in front; pass the result to <see cref="EndLength"/>.</summary>
    /// <param name="expectedBytes">A guess; a good one saves moving the bytes.</param>
    public LengthMark BeginLength(int expectedBytes = 0)
    {
        var mark = new LengthMark(Length, VariableInteger.Width((uint)expectedBytes));
        Reserve(mark.Width);
        return mark;
    }

    public void EndLength(LengthMark mark)
    {
        var bodyStart = mark.Position + mark.Width;
        var bodyBytes = Length - bodyStart;
        var width = VariableInteger.Width((uint)bodyBytes);
        if (width != mark.Width)
        {
            if (width > mark.Width) Reserve(width - mark.Width);
            _bytes.AsSpan(bodyStart, bodyBytes).CopyTo(_bytes.AsSpan(mark.Position + width));
            Length = mark.Position + width + bodyBytes;
        }

        VariableInteger.Write(_bytes.AsSpan(mark.Position, width), (uint)bodyBytes);
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count) Grow(count);
        var reserved = _bytes.AsSpan(Length, count);
        Length += count;
        return reserved;
    }

    private void Grow(int count)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstRentBytes, Math.Max(2 * _bytes.Length, Length + count)));
        Written.CopyTo(larger);
        if (_bytes.Length > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = larger;
    }
}

/// <summary>Where a length was left open.</summary>
internal readonly record struct LengthMark(int Position, int Width);
