using System.Runtime.InteropServices;
using System.Text;

namespace EdgeFirmware.Platform.Tests.Network.Links;

/// <summary>Writes a netlink message as the kernel does.</summary>
internal sealed class RouteMessage
{
    private readonly List<byte> _bytes = [];

    /// <param name="fixedPart">What follows the header, before the attributes.</param>
    public RouteMessage(ushort type, byte[] fixedPart, uint sequence = 1, ushort flags = 2)
    {
        _bytes.AddRange(new byte[4]);
        _bytes.AddRange(BitConverter.GetBytes(type));
        _bytes.AddRange(BitConverter.GetBytes(flags));
        _bytes.AddRange(BitConverter.GetBytes(sequence));
        _bytes.AddRange(new byte[4]);
        _bytes.AddRange(fixedPart);
        Pad();
    }

    public static RouteMessage Link(int index, string name, uint flags, ushort hardware = 1, string driver = "", uint master = 0, uint sequence = 1)
    {
        var part = new byte[16];
        MemoryMarshal.Write(part.AsSpan(2), hardware);
        MemoryMarshal.Write(part.AsSpan(4), index);
        MemoryMarshal.Write(part.AsSpan(8), flags);
        var message = new RouteMessage(16, part, sequence).With(3, Encoding.ASCII.GetBytes(name + '\0'));
        if (master != 0)
            message.With(10, BitConverter.GetBytes(master));
        return driver.Length == 0 ? message : message.With(18, Attribute(1, Encoding.ASCII.GetBytes(driver + '\0')));
    }

    public static RouteMessage Address(int index, byte family, byte[] address, byte prefix, byte scope = 0, uint flags = 0, byte[]? local = null)
    {
        var part = new byte[8];
        (part[0], part[1], part[3]) = (family, prefix, scope);
        MemoryMarshal.Write(part.AsSpan(4), index);
        var message = new RouteMessage(20, part).With(1, address);
        if (local is not null)
            message.With(2, local);
        return message.With(8, BitConverter.GetBytes(flags));
    }

    public static RouteMessage Route(byte family, int index, byte[]? gateway, uint metric = 0, uint table = 254, byte destinationBits = 0, byte type = 1, uint flags = 0)
    {
        var part = new byte[12];
        (part[0], part[1], part[4], part[7]) = (family, destinationBits, (byte)(table < 256 ? table : 252), type);
        MemoryMarshal.Write(part.AsSpan(8), flags);
        var message = new RouteMessage(24, part).With(15, BitConverter.GetBytes(table)).With(6, BitConverter.GetBytes(metric));
        if (index != 0)
            message.With(4, BitConverter.GetBytes(index));
        return gateway is null ? message : message.With(5, gateway);
    }

    public static RouteMessage Neighbour(byte family, int index, byte[] address, ushort state)
    {
        var part = new byte[12];
        part[0] = family;
        MemoryMarshal.Write(part.AsSpan(4), index);
        MemoryMarshal.Write(part.AsSpan(8), state);
        return new RouteMessage(28, part).With(1, address);
    }

    public static byte[] Attribute(ushort type, byte[] value)
    {
        var bytes = new byte[(4 + value.Length + 3) & ~3];
        MemoryMarshal.Write(bytes, (ushort)(4 + value.Length));
        MemoryMarshal.Write(bytes.AsSpan(2), type);
        value.CopyTo(bytes, 4);
        return bytes;
    }

    public RouteMessage With(ushort type, byte[] value)
    {
        _bytes.AddRange(Attribute(type, value));
        return this;
    }

    public byte[] Bytes()
    {
        var bytes = _bytes.ToArray();
        MemoryMarshal.Write(bytes, (uint)bytes.Length);
        return bytes;
    }

    /// <summary>Without the header.</summary>
    public ReadOnlySpan<byte> Payload => Bytes().AsSpan(16);

    private void Pad()
    {
        while (_bytes.Count % 4 != 0)
            _bytes.Add(0);
    }
}
