using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>A UDP socket for IPv6 and IPv4 that sends and receives on one interface only, or, unbound, what no other one does. It never asks for ICMP
/// errors (IPV6_RECVERR): without a connection the kernel then reports none of them (udp(7)).</summary>
internal sealed class LinkSocket : IDisposable
{
    /// <summary>SOL_SOCKET, SO_REUSEPORT, SO_BINDTOIFINDEX (include/uapi/asm-generic/socket.h; the last since Linux 5.0).</summary>
    private const int LevelSocket = 1, OptionReusePort = 15, OptionBindToIndex = 62;

    /// <summary>IPPROTO_IP, IP_MULTICAST_ALL (include/uapi/linux/in.h); IPPROTO_IPV6, IPV6_MULTICAST_ALL (include/uapi/linux/in6.h).</summary>
    private const int LevelV4 = 0, OptionAllV4 = 49, LevelV6 = 41, OptionAllV6 = 29;

    /// <summary>The groups in which gossip seeks others, too (Peers/UdpDatagramSocket): a link has one membership for both.</summary>
    private static readonly IPAddress GroupV4 = IPAddress.Parse("239.255.79.0");
    private static readonly IPAddress GroupV6 = IPAddress.Parse("ff12::ed9e:7900");

    [ThreadStatic]
    private static SocketAddress? _target;

    private readonly Socket _socket;
    private readonly IPEndPoint _group;
    private volatile bool _isClosed;

    private LinkSocket(Socket socket, LinkBinding binding)
    {
        _socket = socket;
        Binding = binding;
        _group = new IPEndPoint(binding.HasV6 && socket.AddressFamily == AddressFamily.InterNetworkV6 ? GroupV6 : GroupV4, Port);
    }

    public LinkBinding Binding { get; }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    /// <summary>The one for whatever no other socket takes: Linux prefers one that is bound to the interface.</summary>
    /// <exception cref="SocketException">The port is in use, perhaps by another node of this machine.</exception>
    public static LinkSocket OpenUnbound(int port) => Open(LinkBinding.None, socket =>
    {
        Bind(socket, port);
        // Only now may others of this user have the port as well: asked for before, a second node would not notice the first one.
        Allow(socket, LevelSocket, OptionReusePort, 1);
    });

    /// <exception cref="SocketException">No such interface; or <see cref="SocketError.AccessDenied"/> or <see cref="SocketError.ProtocolOption"/>, when the
    /// kernel does not bind to interfaces without CAP_NET_RAW (before 5.7) or by their number (before 5.0).</exception>
    public static LinkSocket Open(LinkBinding binding, int port, Action<Socket, int> bindToInterface) => Open(binding, socket =>
    {
        Allow(socket, LevelSocket, OptionReusePort, 1);
        bindToInterface(socket, binding.Index);
        Bind(socket, port);
        if (binding.HasV4)
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(GroupV4, binding.Index));
        if (binding.HasV6 && socket.AddressFamily == AddressFamily.InterNetworkV6)
            socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(GroupV6, binding.Index));
    });

    /// <summary>By number, so that a name that has gone to another interface cannot mislead. Needs no capability on Linux 5.7 and later (commit c427bfec18f2).</summary>
    public static void BindToInterface(Socket socket, int index) => Allow(socket, LevelSocket, OptionBindToIndex, index);

    /// <returns>Whether it was sent. For an address of IPv4 without a route over the interface Linux asks on the link itself (ip_route_output_key_hash_rcu).</returns>
    public bool Send(IPEndPoint to, ReadOnlySpan<byte> datagram)
    {
        if (_target is not { } target || target.Family != _socket.AddressFamily)
            _target = target = new SocketAddress(_socket.AddressFamily);
        if (!EndpointBytes.TryWrite(target, to, Binding.Index))
            return false;
        try
        {
            return _socket.SendTo(datagram, SocketFlags.None, target) == datagram.Length;
        }
        catch (SocketException)
        {
            return false; // no route, or a full buffer: to the sender it is one more lost datagram
        }
        catch (ObjectDisposedException)
        {
            return false; // the link went this moment
        }
    }

    /// <summary>One hop far: that is the kernel's default for multicast (IPV6_MULTICAST_HOPS, IP_MULTICAST_TTL).</summary>
    public bool SendToNeighbours(ReadOnlySpan<byte> datagram) => Send(_group, datagram);

    /// <summary>Until it is closed.</summary>
    /// <exception cref="LinkException">The socket is broken.</exception>
    public async Task ReceiveAsync(LinkDatagramHandler came, CancellationToken cancel)
    {
        var buffer = new byte[ILinkDatagrams.DatagramBytesMax + 1]; // one more shows that a datagram is too long
        var from = new SocketAddress(_socket.AddressFamily);
        var senders = new KnownSenders();
        while (true)
        {
            int length;
            try
            {
                length = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, from, cancel);
            }
            catch (Exception error) when (_isClosed && error is SocketException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException error) when (IsPassing(error.SocketErrorCode))
            {
                continue;
            }
            catch (SocketException error)
            {
                throw new LinkException($"no datagrams from {Binding.Name}: {error.Message}", error);
            }
            if (length > ILinkDatagrams.DatagramBytesMax)
                continue;
            var sender = senders.Of(from);
            came(LinkOf(sender), sender, buffer.AsSpan(0, length));
        }
    }

    public void Dispose()
    {
        _isClosed = true;
        _socket.Dispose();
    }

    /// <summary>A scope tells the link where the socket does not.</summary>
    private int LinkOf(IPEndPoint sender) =>
        Binding.Index == 0 && sender.Address is { AddressFamily: AddressFamily.InterNetworkV6, ScopeId: var scope } ? (int)scope : Binding.Index;

    /// <summary>About something sent earlier, or a state that may end: the kernel tells it once.</summary>
    private static bool IsPassing(SocketError error) => error is SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.MessageSize
        or SocketError.WouldBlock or SocketError.HostUnreachable or SocketError.HostDown or SocketError.NetworkUnreachable or SocketError.NetworkDown;

    private static LinkSocket Open(LinkBinding binding, Action<Socket> prepare)
    {
        var socket = Socket.OSSupportsIPv6
            ? new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { DualMode = true, Blocking = false }
            : new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            // A group that another socket of the machine joined is not this one's, nor is what the node itself says to a group.
            Allow(socket, LevelV4, OptionAllV4, 0);
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback, false);
            if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            {
                Allow(socket, LevelV6, OptionAllV6, 0);
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastLoopback, false);
            }
            prepare(socket);
            return new LinkSocket(socket, binding);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void Bind(Socket socket, int port) =>
        socket.Bind(new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, port));

    private static void Allow(Socket socket, int level, int option, int value) => socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
}
