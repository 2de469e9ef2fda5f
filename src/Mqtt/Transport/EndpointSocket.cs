using System.Net;
using System.Net.Sockets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>Makes sockets that listen or connect, for TCP and for unix paths.</summary>
internal static class EndpointSocket
{
    private const int Backlog = 512;

    /// <summary>Listens. A unix socket gets file mode 0600 before anyone can connect to it.</summary>
    /// <exception cref="SocketException">The address is in use, or not ours and <paramref name="bind"/> minds.</exception>
    public static Socket Listen(EndPoint endPoint, Action<Socket, EndPoint> bind)
    {
        var socket = Create(endPoint);
        try
        {
            if (endPoint is UnixDomainSocketEndPoint unix)
            {
                RemoveStale(unix);
                socket.Bind(unix);
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(unix.ToString(), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
            else
            {
                // The runtime sets SO_REUSEADDR by itself; its ReuseAddress option would add SO_REUSEPORT and hide a taken port.
                bind(socket, endPoint);
            }

            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <param name="from">Null: the kernel chooses.</param>
    /// <exception cref="SocketException">Nobody listens there, or the way is blocked.</exception>
    public static async Task<Socket> ConnectAsync(EndPoint endPoint, CancellationToken cancellation, IPAddress? from = null)
    {
        var socket = from is null ? Create(endPoint) : new Socket(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (from is not null) socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(endPoint, cancellation);
            Tune(socket);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Small packets must not wait for the acknowledgement of earlier ones (Nagle), and a synchronous send must not block.</summary>
    public static void Tune(Socket socket)
    {
        socket.Blocking = false;
        if (socket.ProtocolType == ProtocolType.Tcp) socket.NoDelay = true;
    }

    private static Socket Create(EndPoint endPoint) => endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        DnsEndPoint => new Socket(SocketType.Stream, ProtocolType.Tcp),
        _ => new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp),
    };

    /// <summary>Deletes the socket file of a process that is gone; leaves one alone that somebody answers on.</summary>
    private static void RemoveStale(UnixDomainSocketEndPoint unix)
    {
        var path = unix.ToString();
        if (!File.Exists(path)) return;
        using var probe = Create(unix);
        try
        {
            probe.Connect(unix);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }
}
