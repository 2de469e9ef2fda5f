using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Network;

/// <summary>Binding to an address that the node does not have yet (ip(7), IP_FREEBIND): a node that boots before its network is there listens
/// all the same, and is reachable once the address comes up.</summary>
public static class FreeBind
{
    /// <summary>IPPROTO_IP, IP_FREEBIND (linux/in.h); IPPROTO_IPV6, IPV6_FREEBIND (linux/in6.h).</summary>
    private const int LevelV4 = 0, OptionV4 = 15, LevelV6 = 41, OptionV6 = 78;

    /// <summary>A TCP socket that listens; on <c>[::]</c> for IPv4 too.</summary>
    /// <exception cref="SocketException">The address is in use.</exception>
    public static Socket Listen(EndPoint address, int backlog, ILogger log)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address is IPEndPoint ip && ip.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            // No ReuseAddress: the runtime sets SO_REUSEADDR by itself, and its option would add SO_REUSEPORT and hide a taken port.
            Bind(socket, address, log);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Binds; says so when the address is not up, which may also be a slip in the configuration.</summary>
    /// <exception cref="SocketException">The address is in use.</exception>
    public static void Bind(Socket socket, EndPoint address, ILogger log)
    {
        try
        {
            socket.Bind(address);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            Allow(socket);
            socket.Bind(address);
            PlatformLog.AddressNotUp(log, address.ToString()!);
        }
    }

    private static void Allow(Socket socket)
    {
        Span<byte> on = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(on, 1);
        if (socket.AddressFamily == AddressFamily.InterNetwork)
            socket.SetRawSocketOption(LevelV4, OptionV4, on);
        else
            socket.SetRawSocketOption(LevelV6, OptionV6, on);
    }
}
