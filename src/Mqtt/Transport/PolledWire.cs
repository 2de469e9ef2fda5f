using System.Net.Sockets;

namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// A socket that an <see cref="EventLoop"/> waits for. It is read and written without blocking, and a read that did not fill its
/// buffer has emptied the socket (epoll(7)), so nobody asks twice.
/// </summary>
internal sealed class PolledWire : Wire
{
    private readonly Socket _socket;
    private readonly EventLoop _loop;
    private readonly ReadySignal _readable;
    private readonly int _slot;
    private volatile ReadySignal? _writable;
    private volatile bool _peerEnded;
    private int _disposed;

    /// <param name="socket">Non-blocking.</param>
    public PolledWire(Socket socket, EventLoop loop)
    {
        _socket = socket;
        _loop = loop;
        _readable = new ReadySignal(loop);
        _slot = loop.Add(this, (int)socket.Handle);
    }

    public override TransportKind Kind => _socket.AddressFamily == AddressFamily.Unix ? TransportKind.Unix : TransportKind.Tcp;

    public override ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default)
    {
        if (into.IsEmpty) return _readable.WaitAsync();
        return TryReceive(into.Span, out var received) ? new(received) : ReceiveWhenReadyAsync(into, cancellation);
    }

    public override int SendNow(ReadOnlySpan<byte> bytes) => SocketWire.SendNow(_socket, bytes);

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        // The kernel tells that there is room only after it has refused.
        var writable = _writable ??= new ReadySignal(_loop);
        while (true)
        {
            writable.Reset();
            var sent = SendNow(bytes.Span);
            if (sent > 0) return sent;
            await writable.WaitAsync();
        }
    }

    public override ValueTask YieldAsync() => _readable.YieldAsync();

    public override ValueTask ShutdownAsync(SocketShutdown how)
    {
        _socket.Shutdown(how);
        return ValueTask.CompletedTask;
    }

    /// <summary>On the loop's thread.</summary>
    /// <param name="what">Flags of <see cref="EventPoll"/>.</param>
    public void OnChange(uint what)
    {
        const uint ended = EventPoll.Error | EventPoll.HangUp;
        if ((what & (ended | EventPoll.PeerShutDown)) != 0) _peerEnded = true;
        if ((what & (ended | EventPoll.Out)) != 0) _writable?.Set();
        if ((what & (ended | EventPoll.PeerShutDown | EventPoll.In)) != 0) _readable.Set();
    }

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1) return;
        _socket.Dispose();
        _loop.Remove(_slot);
        // Whoever waits finds the socket closed.
        _readable.Set();
        _writable?.Set();
    }

    private async ValueTask<int> ReceiveWhenReadyAsync(Memory<byte> into, CancellationToken cancellation)
    {
        while (true)
        {
            if (cancellation.CanBeCanceled) await _readable.WaitAsync().AsTask().WaitAsync(cancellation);
            else await _readable.WaitAsync();
            if (TryReceive(into.Span, out var received)) return received;
        }
    }

    /// <exception cref="SocketException">The connection is broken.</exception>
    private bool TryReceive(Span<byte> into, out int received)
    {
        received = 0;
        if (!_readable.IsReady) return false;
        _readable.Reset();
        received = _socket.Receive(into, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock) return false;
        if (error != SocketError.Success) throw new SocketException((int)error);
        if (received == into.Length || _peerEnded) _readable.Set();
        return true;
    }
}
