using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeFirmware.Contracts.Engine;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Platform.Engine;

/// <summary>HTTP to the engine over its unix socket: connects, speaks the version both sides know, bounds what it reads and how long it waits,
/// and turns every failure into an <see cref="EngineException"/>. It knows no endpoint but <c>/version</c>.</summary>
internal sealed class EngineClient : IDisposable
{
    /// <summary>An inspect answer of a container with many mounts is about 20 kB; a list of 500 containers about 1 MB.</summary>
    public const int AnswerBytesMax = 4 << 20;

    private const int ErrorBytesMax = 16 << 10;

    private readonly string _socket;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private HttpClient? _http;
    private volatile EngineApi? _api;

    public EngineClient(string socket, TimeProvider time, ILogger log)
    {
        _socket = socket;
        _time = time;
        _log = log;
    }

    public string Socket => _socket;

    public void Dispose() => _http?.Dispose();

    /// <summary>Asked once, and again after the engine was away: it may come back as another version.</summary>
    public async Task<EngineApi> ApiAsync(CancellationToken cancel)
    {
        if (_api is { } known)
            return known;
        var said = await WithinAsync(EngineDeadlines.Inspect, async token =>
        {
            using var answer = await SendRawAsync(HttpMethod.Get, "version", null, token);
            return await ParseAsync(answer, EngineJson.Default.VersionAnswer, token);
        }, cancel);
        var api = EngineApi.Choose(said);
        _api = api;
        _log.EngineFound(api.Name, api.Version, _socket, api.Prefix);
        return api;
    }

    /// <summary>One small request, one small answer.</summary>
    public Task<T> AskAsync<T>(
        HttpMethod method, string path, HttpContent? body, JsonTypeInfo<T> type, TimeSpan deadline, CancellationToken cancel) =>
        WithinAsync(deadline, async token =>
        {
            using var answer = await SendAsync(method, path, body, token);
            return await ParseAsync(answer, type, token);
        }, cancel);

    /// <returns><c>null</c> when the engine's answer is empty.</returns>
    public Task<T?> AskOrNothingAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, TimeSpan deadline, CancellationToken cancel)
        where T : class => WithinAsync(deadline, async token =>
        {
            using var answer = await SendAsync(method, path, null, token);
            var body = await ReadAtMostAsync(answer, AnswerBytesMax, isError: false, token);
            return body.Length == 0 ? null : Parse(body, type);
        }, cancel);

    /// <summary>One request whose answer does not matter beyond its status.</summary>
    public Task TellAsync(HttpMethod method, string path, HttpContent? body, TimeSpan deadline, CancellationToken cancel) =>
        WithinAsync(deadline, async token =>
        {
            using var answer = await SendAsync(method, path, body, token);
            return true;
        }, cancel);

    /// <summary>A request whose answer is read as it comes, for as long as it takes. The caller disposes the stream.</summary>
    public async Task<Stream> OpenAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancel)
    {
        var answer = await SendAsync(method, path, body, cancel);
        try
        {
            return new EngineStream(await answer.Content.ReadAsStreamAsync(cancel), answer, _socket);
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }

    public static HttpContent Json<T>(T message, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(message, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancel)
    {
        var api = await ApiAsync(cancel);
        return await SendRawAsync(method, $"{api.Prefix}/{path}", body, cancel);
    }

    private async Task<HttpResponseMessage> SendRawAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, new Uri($"http://engine/{path}")) { Content = body };
        HttpResponseMessage answer;
        try
        {
            answer = await Http().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        }
        catch (HttpRequestException e) when (body is EngineUpload { SourceFailure: { } cause })
        {
            // What we were sending broke, not the engine: the caller knows that stream's errors.
            _log.EngineLost(_socket, e.Message);
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(cause);
            throw;
        }
        catch (HttpRequestException e)
        {
            throw Lost(e);
        }
        _log.EngineAnswered(method.Method, path, (int)answer.StatusCode);
        if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotModified)
            return answer;
        using (answer)
            throw EngineFailures.FromAnswer(answer.StatusCode, await ReadAtMostAsync(answer, ErrorBytesMax, isError: true, cancel));
    }

    private async Task<T> ParseAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancel) =>
        Parse(await ReadAtMostAsync(answer, AnswerBytesMax, isError: false, cancel), type);

    private T Parse<T>(byte[] body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw EngineFailures.Nonsense(_socket, "null instead of an object");
        }
        catch (JsonException e)
        {
            throw EngineFailures.Nonsense(_socket, e.Message, e);
        }
    }

    private async Task<byte[]> ReadAtMostAsync(HttpResponseMessage answer, int bytesMax, bool isError, CancellationToken cancel)
    {
        if (answer.Content.Headers.ContentLength > bytesMax && !isError)
            throw EngineFailures.Nonsense(_socket, $"an answer of {answer.Content.Headers.ContentLength} bytes where at most {bytesMax} make sense");
        var chunk = ArrayPool<byte>.Shared.Rent(8 << 10);
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancel);
            var body = new MemoryStream();
            int read;
            while ((read = await stream.ReadAsync(chunk, cancel)) > 0)
            {
                if (body.Length + read > bytesMax)
                    return isError ? body.ToArray() : throw EngineFailures.Nonsense(_socket, $"an answer of more than {bytesMax} bytes");
                body.Write(chunk, 0, read);
            }
            return body.ToArray();
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw Lost(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }

    private async Task<T> WithinAsync<T>(TimeSpan deadline, Func<CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        using var timer = new CancellationTokenSource(deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timer.Token);
        try
        {
            return await work(either.Token);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            _api = null;
            throw EngineFailures.TooLate(_socket, deadline);
        }
    }

    private EngineException Lost(Exception cause)
    {
        _api = null;
        _log.EngineLost(_socket, cause.Message);
        return cause is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse }
            ? EngineFailures.Nonsense(_socket, cause.Message, cause)
            : EngineFailures.FromSocket(_socket, cause);
    }

    private HttpClient Http()
    {
        lock (_gate)
            return _http ??= Create();
    }

    private HttpClient Create()
    {
#pragma warning disable CA2000 // The client owns the handler.
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            // Idle nodes keep no buffers: a new connection to a unix socket costs less than a millisecond.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = 64,
        };
#pragma warning restore CA2000
        return new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancel);
            return new EngineSocketStream(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
