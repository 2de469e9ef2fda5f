using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>The messages of one netlink datagram, in the machine's byte order (struct nlmsghdr, include/uapi/linux/netlink.h). Stops at the first
/// that does not fit.</summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> datagram)
{
    public const int HeaderBytes = 16;

    private ReadOnlySpan<byte> _rest = datagram;

    public ushort Type { get; private set; }

    public ushort Flags { get; private set; }

    public uint Sequence { get; private set; }

    /// <summary>What follows the header of the current message.</summary>
    public ReadOnlySpan<byte> Payload { get; private set; }

    /// <summary>There was more than could be read: a datagram larger than the buffer, or no netlink at all.</summary>
    public bool IsCutOff { get; private set; }

    /// <returns>Whether there is a message.</returns>
    public bool Read()
    {
        if (_rest.IsEmpty || IsCutOff)
            return false;
        var length = _rest.Length < HeaderBytes ? 0 : MemoryMarshal.Read<uint>(_rest);
        if (length < HeaderBytes || length > _rest.Length)
        {
            IsCutOff = true;
            return false;
        }
        Type = MemoryMarshal.Read<ushort>(_rest[4..]);
        Flags = MemoryMarshal.Read<ushort>(_rest[6..]);
        Sequence = MemoryMarshal.Read<uint>(_rest[8..]);
        Payload = _rest[HeaderBytes..(int)length];
        _rest = _rest[Math.Min(((int)length + 3) & ~3, _rest.Length)..];
        return true;
    }
}

/// <summary>The attributes behind a message's fixed part, or within another attribute (struct rtattr, include/uapi/linux/rtnetlink.h). What does not
/// fit ends them.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    /// <summary>Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    private const ushort TypeMask = 0x3FFF;

    private ReadOnlySpan<byte> _rest = attributes;

    public ushort Type { get; private set; }

    public ReadOnlySpan<byte> Value { get; private set; }

    public bool Read()
    {
        var length = _rest.Length < 4 ? 0 : MemoryMarshal.Read<ushort>(_rest);
        if (length < 4 || length > _rest.Length)
            return false;
        Type = (ushort)(MemoryMarshal.Read<ushort>(_rest[2..]) & TypeMask);
        Value = _rest[4..length];
        _rest = _rest[Math.Min((length + 3) & ~3, _rest.Length)..];
        return true;
    }

    /// <summary>0 for a value of another size.</summary>
    public readonly uint Number => Value.Length == 4 ? MemoryMarshal.Read<uint>(Value) : 0;
}
