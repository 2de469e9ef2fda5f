using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Platform.Network;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Peers;

/// <summary>Gossip's UDP socket, and membership of the multicast groups by which nodes of a link find each other without seeds.</summary>
public sealed class UdpDatagramSocket : IDatagramSocket
{
    /// <summary>Organisation-local scope (RFC 2365) and link-local scope (RFC 4291); chosen free of registered groups.</summary>
    private static readonly IPAddress GroupV4 = IPAddress.Parse("239.255.79.0");
    private static readonly IPAddress GroupV6 = IPAddress.Parse("ff12::ed9e:7900");

    private readonly Socket _socket;

    /// <summary>Done when the group's socket is there; <c>null</c> when there is no group.</summary>
    private readonly TaskCompletionSource? _joined;
    private volatile Socket? _multicast;
    private Task<int>? _unicastReady;
    private Task<int>? _multicastReady;

    private UdpDatagramSocket(Socket socket, IPEndPoint? group)
    {
        _socket = socket;
        if (group is null)
            return;
        _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Groups = [group];
        Join();
    }

    public Action<IPEndPoint>? Refused { get; set; }

    public IPEndPoint LocalEndpoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Where <see cref="Send"/> reaches every node of the link; empty when the interface cannot multicast. Reaches nobody before the address
    /// is up.</summary>
    public IReadOnlyList<IPEndPoint> Groups { get; private set; } = [];

    /// <summary>Binds to the address, which need not be up yet. Throws <see cref="SocketException"/> when it is in use.</summary>
    public static UdpDatagramSocket Bind(IPEndPoint address, ILogger log)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            FreeBind.Bind(socket, address, log);
            RefusedDestinations.Enable(socket);
            var group = IPAddress.IsLoopback(address.Address)
                ? null // several nodes of one machine: seeds only
                : new IPEndPoint(address.AddressFamily == AddressFamily.InterNetwork ? GroupV4 : GroupV6, ((IPEndPoint)socket.LocalEndPoint!).Port);
            return new UdpDatagramSocket(socket, group);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public void Send(ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        if (Groups is [var group] && to.Equals(group))
            Join(); // the mesh calls for others now and then: often enough to notice that the address is up
        // An earlier datagram's error is told once, by a send that does nothing else.
        if (!TrySend(datagram, to))
        {
            ReadRefusals();
            TrySend(datagram, to);
        }
    }

    public async ValueTask<(int Length, IPEndPoint From)> ReceiveAsync(Memory<byte> buffer, CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                var source = await ReadySocketAsync(cancel);
                EndPoint from = new IPEndPoint(source.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
                var length = source.ReceiveFrom(buffer.Span, SocketFlags.None, ref from);
                return (length, (IPEndPoint)from);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset
                or SocketError.MessageSize or SocketError.WouldBlock or SocketError.HostUnreachable or SocketError.NetworkUnreachable)
            {
                // An ICMP error for something sent earlier, or a datagram larger than any of ours: nothing was received.
                ReadRefusals();
            }
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _multicast?.Dispose();
    }

    private bool TrySend(ReadOnlySpan<byte> datagram, IPEndPoint to)
    {
        try
        {
            _socket.SendTo(datagram, SocketFlags.None, to);
            return true;
        }
        catch (SocketException)
        {
            // Or no route, no neighbour, a full buffer: then it is a lost datagram, which the protocol above expects.
            return false;
        }
    }

    private void ReadRefusals() => RefusedDestinations.Read(_socket, address => Refused?.Invoke(address));

    private async ValueTask<Socket> ReadySocketAsync(CancellationToken cancel)
    {
        if (_joined is null)
        {
            await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancel);
            return _socket;
        }
        _unicastReady ??= _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancel).AsTask();
        if (!_joined.Task.IsCompleted && await Task.WhenAny(_unicastReady, _joined.Task) == _unicastReady)
            return await TakeAsync(_unicastReady, _socket);
        var multicast = _multicast!;
        _multicastReady ??= multicast.ReceiveAsync(Memory<byte>.Empty, SocketFlags.Peek, cancel).AsTask();
        return await Task.WhenAny(_unicastReady, _multicastReady) is var ready && ready == _unicastReady
            ? await TakeAsync(ready, _socket)
            : await TakeAsync(ready, multicast);
    }

    private async ValueTask<Socket> TakeAsync(Task<int> ready, Socket socket)
    {
        if (ready == _unicastReady)
            _unicastReady = null;
        else
            _multicastReady = null;
        await ready;
        return socket;
    }

    /// <summary>Joins the group once the address is up. An interface that cannot multicast is no group's: seeds remain.</summary>
    private void Join()
    {
        if (_joined!.Task.IsCompleted || InterfaceOf(LocalEndpoint.Address) is not { } card)
            return;
        if (card.SupportsMulticast && TryJoin(card) is { } multicast)
        {
            _multicast = multicast;
            _joined.SetResult();
        }
        else
            Groups = [];
    }

    private Socket? TryJoin(NetworkInterface card)
    {
        var own = LocalEndpoint;
        var socket = new Socket(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            if (own.AddressFamily == AddressFamily.InterNetwork)
            {
                socket.Bind(new IPEndPoint(GroupV4, own.Port));
                socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.AddMembership, new MulticastOption(GroupV4, own.Address));
            }
            else
            {
                var index = card.GetIPProperties().GetIPv6Properties().Index;
                socket.Bind(new IPEndPoint(new IPAddress(GroupV6.GetAddressBytes(), index), own.Port));
                socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.AddMembership, new IPv6MulticastOption(GroupV6, index));
                _socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, index);
            }
            return socket;
        }
        catch (SocketException)
        {
            // The interface cannot multicast after all: seeds remain.
            socket.Dispose();
            return null;
        }
    }

    /// <returns><c>null</c> while none has the address.</returns>
    private static NetworkInterface? InterfaceOf(IPAddress address) => NetworkInterface.GetAllNetworkInterfaces()
        .FirstOrDefault(card => card.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)));
}
