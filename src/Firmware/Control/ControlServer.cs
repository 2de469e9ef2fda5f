using System.Buffers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Users;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Control;

/// <summary>Serves the command line on a unix socket of the data directory: a line of JSON in, lines of JSON out. Who may open the socket (mode
/// 0600) may do everything.</summary>
internal sealed partial class ControlServer(NodeOperations operations, TimeProvider time, ILogger log)
{
    private const int RequestBytesMax = 1 << 20;
    private const int ConnectionsMax = 64;

    /// <summary>A command line sends its one line at once; who does not holds a place for nothing.</summary>
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(10);

    private int _connections;

    public async Task RunAsync(string path, CancellationToken cancel)
    {
        File.Delete(path); // left from a run that was killed; the data directory's lock says that no other node uses it
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        listener.Listen(ConnectionsMax);
        var broken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            while (true)
            {
                var accepting = listener.AcceptAsync(cancel).AsTask();
                if (await Task.WhenAny(accepting, broken.Task) == broken.Task)
                    await broken.Task;
                var socket = await accepting;
                if (Interlocked.Increment(ref _connections) <= ConnectionsMax)
                    _ = ServeAsync(socket, broken, cancel);
                else
                {
                    Interlocked.Decrement(ref _connections);
                    socket.Dispose();
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            File.Delete(path);
        }
    }

    private async Task ServeAsync(Socket socket, TaskCompletionSource broken, CancellationToken cancel)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            await AnswerAsync(stream, cancel);
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            Disconnected(log, error.Message);
        }
        catch (Exception error)
        {
            broken.TrySetException(error);
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancel)
    {
        try
        {
            var request = await ReadInTimeAsync(stream, cancel);
            if (request.Command == "logs")
                await WriteWhileHeardAsync(stream, gone => operations.LogsAsync(NameOf(request), request.Tail, request.Follow, gone), static line => JsonValue.Create(line.Text), cancel);
            else if (request.Command == "reach")
                await WriteWhileHeardAsync(
                    stream, gone => operations.Overlay.ReachAsync(request.Name ?? "", request.Count ?? 1, request.IntervalMs ?? 1000, gone),
                    static reach => JsonSerializer.SerializeToNode(reach, FirmwareJson.Default.ReachView), cancel);
            else
                await WriteAsync(stream, new ControlReply(200, await DoAsync(request)), cancel);
        }
        catch (OperationRefusedException refused)
        {
            await WriteAsync(stream, new ControlReply(refused.Status, JsonSerializer.SerializeToNode(refused.ToProblem(), FirmwareJson.Default.ProblemView)), cancel);
        }
        catch (Contracts.Engine.EngineException error)
        {
            var problem = NodeOperations.Refusal(error).ToProblem();
            await WriteAsync(stream, new ControlReply(problem.Status, JsonSerializer.SerializeToNode(problem, FirmwareJson.Default.ProblemView)), cancel);
        }
    }

    /// <summary>Until there is no more to say or the command line has gone, which shows in the stream's end also while nothing is written.</summary>
    private static async Task WriteWhileHeardAsync<T>(
        NetworkStream stream, Func<CancellationToken, IAsyncEnumerable<T>> say, Func<T, JsonNode?> read, CancellationToken cancel)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var watching = WatchEndAsync(stream, gone);
        try
        {
            await foreach (var one in say(gone.Token))
                await WriteAsync(stream, new ControlReply(200, read(one)), gone.Token);
        }
        finally
        {
            await gone.CancelAsync();
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static async Task WatchEndAsync(NetworkStream stream, CancellationTokenSource gone)
    {
        await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, gone.Token);
        await gone.CancelAsync();
    }

    private async Task<JsonNode?> DoAsync(ControlRequest request) => request.Command switch
    {
        "status" => JsonSerializer.SerializeToNode(operations.Node(), FirmwareJson.Default.NodeView),
        "peers" => JsonSerializer.SerializeToNode(operations.Peers(), FirmwareJson.Default.PeerViewArray),
        "forecast" => JsonSerializer.SerializeToNode(operations.Forecast(), FirmwareJson.Default.NodeForecastView),
        "links" => JsonSerializer.SerializeToNode(operations.Links.List(), FirmwareJson.Default.LinkListView),
        "paths" => JsonSerializer.SerializeToNode(await operations.Overlay.ListAsync(), FirmwareJson.Default.PeerPathsViewArray),
        "bridges" => JsonSerializer.SerializeToNode(operations.Bridges(), FirmwareJson.Default.BridgeViewArray),
        "workloads" => JsonSerializer.SerializeToNode(operations.Workloads(), FirmwareJson.Default.WorkloadViewArray),
        "deploy" => JsonSerializer.SerializeToNode(
            await operations.DeployAsync(NodeOperations.ReadSpec(Encoding.UTF8.GetBytes(request.Spec?.ToJsonString() ?? "null"))), FirmwareJson.Default.WorkloadView),
        "migrate" => JsonSerializer.SerializeToNode(await operations.MigrateAsync(NameOf(request), request.To), FirmwareJson.Default.MoveView),
        "why" => JsonSerializer.SerializeToNode(await operations.Placement.WhyAsync(NameOf(request)), FirmwareJson.Default.WhyView),
        "drain" or "undrain" => JsonSerializer.SerializeToNode(await operations.Placement.DrainAsync(request.Command == "drain"), FirmwareJson.Default.DrainView),
        "drain-status" => JsonSerializer.SerializeToNode(operations.Placement.Drain(), FirmwareJson.Default.DrainView),
        "remove" => JsonSerializer.SerializeToNode(await operations.RemoveAsync(NameOf(request)), FirmwareJson.Default.WorkloadView),
        "site-show" => JsonSerializer.SerializeToNode(SiteOf().State(), FirmwareJson.Default.SiteStateView),
        "site-token" => JsonSerializer.SerializeToNode(await SiteOf().CreateTokenAsync(request.Tail ?? 60), FirmwareJson.Default.TokenView),
        "site-revoke" => JsonSerializer.SerializeToNode(await SiteOf().RevokeAsync(request.Name ?? ""), FirmwareJson.Default.SiteStateView),
        "site-rotate-key" => JsonSerializer.SerializeToNode(await SiteOf().ChangeKeyAsync(), FirmwareJson.Default.SiteStateView),
        _ => operations.Clients.Do(request) ?? await UserOperations.DoAsync(operations.Users, request) ?? throw new OperationRefusedException(400, $"no such command: '{request.Command}'"),
    };

    private NodeSite SiteOf() => operations.Site ?? throw new OperationRefusedException(409, "this node has no Mesh.Site: it is of no site with certificates");

    private static string NameOf(ControlRequest request) => request.Name ?? throw new OperationRefusedException(400, "a workload's name is needed");

    private async Task<ControlRequest> ReadInTimeAsync(NetworkStream stream, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(RequestPatience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        return await ReadAsync(stream, limit.Token);
    }

    private static async Task<ControlRequest> ReadAsync(NetworkStream stream, CancellationToken cancel)
    {
        var buffer = new ArrayBufferWriter<byte>();
        while (buffer.WrittenCount == 0 || buffer.WrittenSpan[^1] != (byte)'\n')
        {
            if (buffer.WrittenCount > RequestBytesMax)
                throw new OperationRefusedException(400, "a request is at most 1 MiB");
            var count = await stream.ReadAsync(buffer.GetMemory(4096), cancel);
            if (count == 0)
                throw new IOException("ended within a request");
            buffer.Advance(count);
        }
        try
        {
            return JsonSerializer.Deserialize(buffer.WrittenSpan, FirmwareJson.Default.ControlRequest) ?? throw new OperationRefusedException(400, "an empty request");
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"not a request: {error.Message}");
        }
    }

    private static async Task WriteAsync(NetworkStream stream, ControlReply reply, CancellationToken cancel) =>
        await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(reply, FirmwareJson.Default.ControlReply), (byte)'\n'], cancel);

    [LoggerMessage(20, LogLevel.Debug, "a command line went away: {Why}")]
    private static partial void Disconnected(ILogger log, string why);
}
