using System.Net.Sockets;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>
/// A connection without a socket. The peer's side is the test: what it feeds is handled before <see cref="Feed"/> returns, as long as the
/// broker waits for it, so one thread plays all clients.
/// </summary>
internal sealed class MemoryWire : Wire
{
    private readonly Lock _gate = new();
    private readonly MemoryStream _sent = new();
    private byte[] _unread = [];
    private TaskCompletionSource<int>? _receiving;
    private Memory<byte> _into;
    private TaskCompletionSource<int>? _sending;
    private ReadOnlyMemory<byte> _unsent;
    private bool _peerClosed;
    private bool _broken;
    private bool _stalled;

    public override TransportKind Kind => TransportKind.Tcp;

    /// <summary>The broker has given the connection up.</summary>
    public bool Disposed { get; private set; }

    /// <summary>The broker will send no more.</summary>
    public bool Finished { get; private set; }

    /// <summary>The broker has nothing to do for it but wait.</summary>
    public bool IsIdle
    {
        get
        {
            lock (_gate) return Disposed || (_receiving is not null && _unread.Length == 0);
        }
    }

    /// <summary>The peer does not read, and the broker waits for it to.</summary>
    public bool IsBlocked
    {
        get
        {
            lock (_gate) return _sending is not null;
        }
    }

    public bool IsStalled
    {
        get
        {
            lock (_gate) return _stalled;
        }
    }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        lock (_gate) _unread = [.. _unread, .. bytes];
        GiveUnread();
    }

    /// <summary>The peer sends no more.</summary>
    public void EndOfStream()
    {
        lock (_gate) _peerClosed = true;
        GiveUnread();
    }

    /// <summary>As after a reset by the peer.</summary>
    public void Break()
    {
        TaskCompletionSource<int>? receiving, sending;
        lock (_gate)
        {
            _broken = true;
            (receiving, sending, _receiving, _sending) = (_receiving, _sending, null, null);
        }

        receiving?.TrySetException(new IOException("reset"));
        sending?.TrySetException(new IOException("reset"));
    }

    public void Stall()
    {
        lock (_gate) _stalled = true;
    }

    /// <summary>The peer reads again.</summary>
    public void Resume()
    {
        TaskCompletionSource<int>? sending;
        int taken;
        lock (_gate)
        {
            _stalled = false;
            (sending, _sending) = (_sending, null);
            taken = _unsent.Length;
            if (sending is not null) _sent.Write(_unsent.Span);
        }

        sending?.TrySetResult(taken);
    }

    /// <summary>What the broker has sent since the last call.</summary>
    public byte[] TakeSent()
    {
        lock (_gate)
        {
            var taken = _sent.ToArray();
            _sent.SetLength(0);
            return taken;
        }
    }

    public override ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default)
    {
        TaskCompletionSource<int> receiving;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(Disposed, this);
            if (_broken) throw new IOException("reset");
            if (_unread.Length > 0) return ValueTask.FromResult(Take(into));
            if (_peerClosed) return ValueTask.FromResult(0);
            // Continues on the thread that feeds.
            _receiving = receiving = new TaskCompletionSource<int>();
            _into = into;
        }

        if (cancellation.CanBeCanceled) cancellation.Register(() => receiving.TrySetCanceled(cancellation));
        return new ValueTask<int>(receiving.Task);
    }

    public override int SendNow(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(Disposed, this);
            if (_broken) throw new IOException("reset");
            if (_stalled) return 0;
            _sent.Write(bytes);
            return bytes.Length;
        }
    }

    public override ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            if (!_stalled || _broken || Disposed) return ValueTask.FromResult(SendNow(bytes.Span));
            _unsent = bytes;
            _sending = new TaskCompletionSource<int>();
            return new ValueTask<int>(_sending.Task);
        }
    }

    public override ValueTask YieldAsync() => ValueTask.CompletedTask;

    public override ValueTask ShutdownAsync(SocketShutdown how)
    {
        lock (_gate) Finished = true;
        // The peer sees the end and closes too.
        EndOfStream();
        return ValueTask.CompletedTask;
    }

    public override void Dispose()
    {
        TaskCompletionSource<int>? receiving, sending;
        lock (_gate)
        {
            Disposed = Finished = true;
            (receiving, sending, _receiving, _sending) = (_receiving, _sending, null, null);
        }

        receiving?.TrySetException(new ObjectDisposedException(nameof(MemoryWire)));
        sending?.TrySetException(new ObjectDisposedException(nameof(MemoryWire)));
    }

    private void GiveUnread()
    {
        TaskCompletionSource<int> receiving;
        int taken;
        lock (_gate)
        {
            if (_receiving is null || (_unread.Length == 0 && !_peerClosed)) return;
            (receiving, _receiving) = (_receiving, null);
            taken = Take(_into);
        }

        receiving.TrySetResult(taken);
    }

    private int Take(Memory<byte> into)
    {
        var taken = Math.Min(into.Length, _unread.Length);
        _unread.AsSpan(0, taken).CopyTo(into.Span);
        _unread = _unread[taken..];
        return taken;
    }
}
