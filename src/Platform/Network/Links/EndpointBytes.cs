using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>An endpoint in and out of the kernel's form (struct sockaddr_in and sockaddr_in6, include/uapi/linux/in.h and in6.h), which can be used again
/// where an <see cref="EndPoint"/> would be made anew for each datagram.</summary>
internal static class EndpointBytes
{
    private const int Port = 2, AddressV4 = 4, AddressV6 = 8, Scope = 24;

    /// <summary>Writes all of <paramref name="target"/>; IPv4 becomes IPv4-mapped in an address of IPv6 (RFC 4291, section 2.5.5.2).</summary>
    /// <param name="link">The scope of an address that needs one; 0 for the one it has.</param>
    /// <returns>Whether an address of the target's family can say this.</returns>
    public static bool TryWrite(SocketAddress target, IPEndPoint endpoint, int link)
    {
        var address = endpoint.Address;
        var bytes = target.Buffer.Span;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[Port..], (ushort)endpoint.Port);
        if (target.Family == AddressFamily.InterNetwork)
        {
            if (address.IsIPv4MappedToIPv6)
                address = address.MapToIPv4();
            return address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(bytes[AddressV4..], out _);
        }
        var scope = 0u;
        bytes[(Port + sizeof(ushort))..].Clear();
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            bytes.Slice(AddressV6 + 10, 2).Fill(0xff);
            address.TryWriteBytes(bytes[(AddressV6 + 12)..], out _);
        }
        else
        {
            address.TryWriteBytes(bytes[AddressV6..], out _);
            if (address.IsIPv6LinkLocal || address.IsIPv6Multicast)
                scope = link > 0 ? (uint)link : (uint)address.ScopeId;
        }
        MemoryMarshal.Write(bytes[Scope..], scope);
        return true;
    }

    public static IPEndPoint Read(SocketAddress source)
    {
        var bytes = source.Buffer.Span;
        var port = BinaryPrimitives.ReadUInt16BigEndian(bytes[Port..]);
        if (source.Family == AddressFamily.InterNetwork)
            return new IPEndPoint(new IPAddress(bytes.Slice(AddressV4, 4)), port);
        var address = new IPAddress(bytes.Slice(AddressV6, 16), MemoryMarshal.Read<uint>(bytes[Scope..]));
        return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, port);
    }
}
