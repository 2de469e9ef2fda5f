using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace EdgeFirmware.Mqtt.Packets;

/// <summary>
/// Reads the data types of MQTT 5 section 1.5 from one packet body. The first failure sticks in <see cref="Error"/> and everything
/// read after it is a default, so that a decoder checks once, at its end.
/// </summary>
internal ref struct FieldReader(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>Success until something was wrong.</summary>
    public ReasonCode Error { get; private set; }

    public readonly bool Failed => Error != ReasonCode.Success;

    public readonly int Remaining => _rest.Length;

    /// <summary>Records why the packet is bad and makes the rest unreadable. The first reason wins.</summary>
    public void Fail(ReasonCode reason)
    {
        if (!Failed) Error = reason;
        _rest = default;
    }

    public byte ReadByte() => Take(1) is [var value] ? value : (byte)0;

    public ushort ReadUInt16() => Take(2) is { Length: 2 } bytes ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : (ushort)0;

    public uint ReadUInt32() => Take(4) is { Length: 4 } bytes ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : 0;

    /// <summary>A variable byte integer in its shortest form [MQTT-1.5.5-1].</summary>
    public uint ReadVariable()
    {
        var status = VariableInteger.TryRead(_rest, out var value, out var width);
        if (status != FrameStatus.Complete)
        {
            Fail(ReasonCode.MalformedPacket);
            return 0;
        }

        _rest = _rest[width..];
        return value;
    }

    /// <summary>A UTF-8 string without ill-formed sequences or U+0000 [MQTT-1.5.4-1, MQTT-1.5.4-2].</summary>
    /// <param name="expected">Returned instead of a new string when it is the same.</param>
    public string ReadString(string expected = "")
    {
        var bytes = Take(ReadUInt16());
        if (bytes.IsEmpty) return string.Empty;
        if (Ascii.Equals(bytes, expected)) return expected;
        if (!Utf8.IsValid(bytes) || bytes.Contains((byte)0))
        {
            Fail(ReasonCode.MalformedPacket);
            return string.Empty;
        }

        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Length-prefixed bytes, copied out of the receive buffer.</summary>
    public ReadOnlyMemory<byte> ReadBinary() => Take(ReadUInt16()).ToArray();

    /// <summary>Everything that is left, copied out of the receive buffer.</summary>
    public ReadOnlyMemory<byte> ReadRest() => Take(_rest.Length).ToArray();

    /// <summary>The next bytes in place: they are gone with the buffer that is read from.</summary>
    public ReadOnlySpan<byte> ReadBytes(uint length) => Take((int)Math.Min(length, int.MaxValue));

    /// <summary>A reader of the next <paramref name="length"/> bytes only.</summary>
    public FieldReader Slice(uint length)
    {
        if (length <= (uint)_rest.Length) return new FieldReader(Take((int)length));
        Fail(ReasonCode.MalformedPacket);
        return default;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            Fail(ReasonCode.MalformedPacket);
            return default;
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
