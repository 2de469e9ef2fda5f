using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>
/// TLS over a socket. A stream takes one write at a time, and closing is a write, so they take turns here. Nor may a stream be disposed of
/// while it is used: <see cref="Dispose"/> closes the socket, and whoever uses the stream last disposes of it.
/// </summary>
internal abstract class TlsWire : Wire
{
    private readonly SemaphoreSlim _sending = new(1);
    private readonly SslStream _stream;

    /// <summary>Calls that are under way, and one until it is closed.</summary>
    private int _uses = 1;

    private int _closed;
    private bool _finished;

    protected TlsWire(Socket socket)
    {
        Socket = socket;
        // NetworkStream insists; nothing blocks, because all its calls are asynchronous ones.
        socket.Blocking = true;
        _stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
    }

    public override TransportKind Kind => TransportKind.Tls;

    protected Socket Socket { get; }

    protected bool IsClosed => Volatile.Read(ref _closed) == 1;

    /// <summary>The handshake is done; what is received when it has failed is of no meaning, and read only so that the peer sees why.</summary>
    private bool IsOpen { get; set; }

    /// <exception cref="IOException">The peer does not speak TLS, does not trust us or is not trusted, or has gone.</exception>
    public override Task OpenAsync(CancellationToken cancellation) => UseAsync(async () =>
    {
        await HandshakeAsync(_stream, cancellation);
        IsOpen = true;
    });

    public override async ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancellation = default)
    {
        if (!IsOpen) return await Socket.ReceiveAsync(into, SocketFlags.None, cancellation);
        Enter();
        try
        {
            return await _stream.ReadAsync(into, cancellation);
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            throw new IOException(failure.Message, failure);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>Nothing: encrypted bytes may have to wait.</summary>
    public override int SendNow(ReadOnlySpan<byte> bytes) => 0;

    public override async ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        await SendInTurnAsync(async () =>
        {
            if (_finished) throw new IOException("The connection is being closed.");
            await _stream.WriteAsync(bytes);
        });
        return bytes.Length;
    }

    public override async ValueTask ShutdownAsync(SocketShutdown how) => await SendInTurnAsync(async () =>
    {
        var first = !_finished;
        _finished = true;
        if (first && IsOpen) await _stream.ShutdownAsync();
        Socket.Shutdown(how);
    });

    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _closed, 1) == 1) return;
        Socket.Dispose();
        Leave();
    }

    protected abstract Task HandshakeAsync(SslStream stream, CancellationToken cancellation);

    private async Task SendInTurnAsync(Func<Task> send)
    {
        await _sending.WaitAsync();
        try
        {
            await UseAsync(send);
        }
        finally
        {
            _sending.Release();
        }
    }

    private async Task UseAsync(Func<Task> use)
    {
        Enter();
        try
        {
            await use();
        }
        catch (Exception failure) when (IsEnd(failure))
        {
            throw new IOException(failure.Message, failure);
        }
        finally
        {
            Leave();
        }
    }

    /// <exception cref="ObjectDisposedException">Too late.</exception>
    private void Enter()
    {
        for (var uses = Volatile.Read(ref _uses); ; uses = Volatile.Read(ref _uses))
        {
            ObjectDisposedException.ThrowIf(uses == 0, this);
            if (Interlocked.CompareExchange(ref _uses, uses + 1, uses) == uses) return;
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _uses) == 0) _stream.Dispose();
    }

    /// <summary>What SslStream says when the peer has broken the protocol or closed.</summary>
    private static bool IsEnd(Exception failure) => failure is AuthenticationException or CryptographicException or InvalidOperationException;
}
