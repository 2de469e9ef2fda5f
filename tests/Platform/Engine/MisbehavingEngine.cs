using System.Net.Sockets;
using System.Text;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>Listens where an engine would, answers <c>/version</c> as Docker 20.10 does, and everything else as the test says.</summary>
internal sealed class MisbehavingEngine : IAsyncDisposable
{
    private const string Version = """{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12","Arch":"amd64"}""";

    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<Stream, CancellationToken, Task> _answer;
    private readonly string _version;
    private readonly Task _loop;

    public MisbehavingEngine(Func<Stream, CancellationToken, Task> answer, string version = Version)
    {
        _answer = answer;
        _version = version;
        Socket = Path.Combine(Path.GetTempPath(), $"edge-misbehaving-{Guid.NewGuid():N}.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen();
        _loop = AcceptAsync();
    }

    public string Socket { get; }

    /// <summary>Completes when the request that misbehaves has arrived.</summary>
    public Task Asked => _asked.Task;

    /// <summary>Request lines that arrived.</summary>
    public List<string> Requests { get; } = [];

    public static MisbehavingEngine Saying(string answer) => new(async (stream, cancel) => await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), cancel));

    public static string Ok(string body, int? length = null) =>
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length ?? body.Length}\r\n\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _loop;
        _end.Dispose();
        File.Delete(Socket);
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
                connections.Add(ServeAsync(await _listener.AcceptAsync(_end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        await using var stream = new NetworkStream(connection, ownsSocket: true);
        try
        {
            while (await HeaderAsync(stream) is { } request)
            {
                lock (Requests)
                    Requests.Add(request);
                if (request.StartsWith("GET /version ", StringComparison.Ordinal))
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(Ok(_version)), _end.Token);
                    continue;
                }
                _asked.TrySetResult();
                await _answer(stream, _end.Token);
                return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The test is over, or the adapter hung up.
        }
    }

    /// <returns>The request line.</returns>
    private async Task<string?> HeaderAsync(NetworkStream stream)
    {
        var header = new StringBuilder();
        var one = new byte[1];
        while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
                return null;
            header.Append((char)one[0]);
        }
        return header.ToString().Split("\r\n")[0];
    }
}
