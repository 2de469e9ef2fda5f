using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Contracts.Links;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Network.Links;

/// <summary>A UDP socket for each link, all at one port, and one more that is bound to no link. Where the kernel refuses to bind to interfaces, that one is
/// all there is: link-local addresses of IPv6 are then still reached over their link, but no neighbours by multicast.</summary>
public sealed class LinkDatagrams : ILinkDatagrams
{
    private readonly Lock _changing = new();
    private readonly ILogger _log;
    private readonly Action<Socket, int> _bindToInterface;
    private readonly LinkSocket _unbound;

    /// <summary>By index of the link; replaced as a whole.</summary>
    private volatile Dictionary<int, LinkSocket> _sockets = [];

    /// <summary>Done when <see cref="_sockets"/> is another.</summary>
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Links that have no socket, and why.</summary>
    private Dictionary<int, SocketError> _failed = [];
    private bool _isRefused;
    private volatile bool _isDisposed;

    /// <param name="port">0 lets the kernel choose.</param>
    /// <exception cref="LinkException">The port is in use.</exception>
    public LinkDatagrams(int port, ILogger log) : this(port, log, LinkSocket.BindToInterface)
    {
    }

    internal LinkDatagrams(int port, ILogger log, Action<Socket, int> bindToInterface)
    {
        _log = log;
        _bindToInterface = bindToInterface;
        try
        {
            _unbound = LinkSocket.OpenUnbound(port);
        }
        catch (SocketException error)
        {
            throw new LinkException($"UDP port {port}: {error.Message}", error);
        }
    }

    public int Port => _unbound.Port;

    public void LinksAre(IReadOnlyList<KernelLink> links)
    {
        lock (_changing)
        {
            if (_isDisposed || _isRefused || AreServed_NeedsLock(links))
                return;
            var before = _sockets;
            var next = new Dictionary<int, LinkSocket>();
            var failed = new Dictionary<int, SocketError>();
            foreach (var link in links)
                if (LinkBinding.Of(link) is { } wanted && (Kept(before, wanted) ?? Open_NeedsLock(wanted, failed)) is { } socket)
                    next[wanted.Index] = socket;
            _failed = failed;
            Replace_NeedsLock(next);
        }
    }

    public bool Send(int link, IPEndPoint to, ReadOnlySpan<byte> datagram)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagram.Length, ILinkDatagrams.DatagramBytesMax);
        if (_sockets.TryGetValue(link, out var socket))
            return socket.Send(to, datagram);
        // The scope of a link-local address says the link as well as a socket could.
        var isWay = link == 0 || (to.Address.IsIPv6LinkLocal && to.Address.ScopeId == link);
        return isWay && _unbound.Send(to, datagram);
    }

    public bool SendToNeighbours(int link, ReadOnlySpan<byte> datagram)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(datagram.Length, ILinkDatagrams.DatagramBytesMax);
        return _sockets.TryGetValue(link, out var socket) && socket.SendToNeighbours(datagram);
    }

    public async Task ReceiveAsync(LinkDatagramHandler came, CancellationToken cancel)
    {
        var handing = new Lock();
        LinkDatagramHandler one = (link, from, datagram) =>
        {
            lock (handing)
                came(link, from, datagram);
        };
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var receiving = new Dictionary<LinkSocket, Task>();
        try
        {
            while (true)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                var changed = _changed.Task; // before the sockets are looked at, so that no change is missed
                Begin(_unbound);
                foreach (var socket in _sockets.Values)
                    Begin(socket);
                await Task.WhenAny([.. receiving.Values, changed]);
                foreach (var (socket, task) in receiving)
                    if (task.IsCompleted && receiving.Remove(socket))
                        await task;
            }
        }
        finally
        {
            await stopping.CancelAsync();
            // The first fault is on its way to the caller already.
            await Task.WhenAll(receiving.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        void Begin(LinkSocket socket)
        {
            if (!receiving.ContainsKey(socket))
                receiving[socket] = Task.Run(() => socket.ReceiveAsync(one, stopping.Token), CancellationToken.None);
        }
    }

    public void Dispose()
    {
        lock (_changing)
        {
            _isDisposed = true;
            Replace_NeedsLock([]);
            _unbound.Dispose();
        }
    }

    private bool AreServed_NeedsLock(IReadOnlyList<KernelLink> links)
    {
        var count = 0;
        for (var i = 0; i < links.Count; i++)
            if (LinkBinding.Of(links[i]) is { } wanted)
            {
                count++;
                if (Kept(_sockets, wanted) is null)
                    return false;
            }
        return count == _sockets.Count;
    }

    private static LinkSocket? Kept(Dictionary<int, LinkSocket> sockets, LinkBinding wanted) =>
        sockets.TryGetValue(wanted.Index, out var socket) && socket.Binding == wanted ? socket : null;

    /// <returns><c>null</c> when it cannot be opened now; it is tried again when the links are told the next time.</returns>
    private LinkSocket? Open_NeedsLock(LinkBinding wanted, Dictionary<int, SocketError> failed)
    {
        if (_isRefused)
            return null;
        try
        {
            return LinkSocket.Open(wanted, Port, _bindToInterface);
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.AccessDenied or SocketError.ProtocolOption)
        {
            _isRefused = true;
            PlatformLog.BindingRefused(_log, wanted.Name, error.Message);
        }
        catch (SocketException error)
        {
            failed[wanted.Index] = error.SocketErrorCode;
            if (!_failed.TryGetValue(wanted.Index, out var told) || told != error.SocketErrorCode)
                PlatformLog.LinkNotServed(_log, wanted.Name, error.Message);
        }
        return null;
    }

    private void Replace_NeedsLock(Dictionary<int, LinkSocket> next)
    {
        var (before, changed) = (_sockets, _changed);
        _sockets = next;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
        foreach (var (index, socket) in before)
            if (!next.TryGetValue(index, out var kept) || kept != socket)
                socket.Dispose();
    }
}
