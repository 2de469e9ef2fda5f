using System.Net.Sockets;
using System.Text;

namespace EdgeFirmware.Lab.Sites;

/// <summary>Stands between a firmware and its real engine and lets some requests fail, so that a node offers in good faith what it then
/// cannot do: the peer that lies. Everything else passes unchanged.</summary>
public sealed class EngineProxy : IAsyncDisposable
{
    private const int HeadBytesMax = 64 * 1024;

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly string _engineSocket;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private volatile Func<string, bool> _refuses = _ => false;
    private int _refused;

    public EngineProxy(string socket, string engineSocket)
    {
        Socket = socket;
        _engineSocket = engineSocket;
        File.Delete(socket);
        _listener.Bind(new UnixDomainSocketEndPoint(socket));
        _listener.Listen(64);
        _accepting = AcceptAsync();
    }

    public string Socket { get; }

    /// <summary>Requests answered with an error so far.</summary>
    public int Refused => _refused;

    /// <param name="requestLine">For example <c>POST /v1.41/containers/create?name=x HTTP/1.1</c>.</param>
    public void Refuse(Func<string, bool> requestLine) => _refuses = requestLine;

    public void RefuseNothing() => _refuses = _ => false;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptAsync(_end.Token));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Disposed.
        }
    }

    /// <summary>One request per connection: the head is read and told to the engine with <c>Connection: close</c>, the rest is bytes.</summary>
    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var from = new NetworkStream(client, ownsSocket: true);
            var head = await ReadHeadAsync(from);
            if (head.Length == 0)
                return;
            var text = Encoding.ASCII.GetString(head);
            if (_refuses(text[..text.IndexOf('\r', StringComparison.Ordinal)]))
            {
                Interlocked.Increment(ref _refused);
                const string Body = """{"message":"no space left on device"}""";
                await from.WriteAsync(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
                return;
            }
            using var engine = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await engine.ConnectAsync(new UnixDomainSocketEndPoint(_engineSocket), _end.Token);
            using var to = new NetworkStream(engine);
            await to.WriteAsync(Encoding.ASCII.GetBytes(text[..^2] + "Connection: close\r\n\r\n"), _end.Token);
            var upstream = from.CopyToAsync(to, _end.Token);
            await to.CopyToAsync(from, _end.Token);
            client.Shutdown(SocketShutdown.Both);
            await upstream;
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One of the two went away: so does the connection.
        }
    }

    /// <returns>Up to and with the empty line; byte by byte, so that nothing of the body is taken.</returns>
    private async Task<byte[]> ReadHeadAsync(NetworkStream from)
    {
        var head = new MemoryStream();
        var one = new byte[1];
        while (head.Length < HeadBytesMax && await from.ReadAsync(one, _end.Token) == 1)
        {
            head.WriteByte(one[0]);
            if (one[0] == '\n' && head.Length >= 4 && head.GetBuffer().AsSpan((int)head.Length - 4, 4).SequenceEqual("\r\n\r\n"u8))
                return head.ToArray();
        }
        return [];
    }
}
