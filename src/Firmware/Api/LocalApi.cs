using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Access;
using Microsoft.AspNetCore.Http;

namespace EdgeFirmware.Firmware.Api;

/// <summary>The node's HTTP API; the routes are described in <c>openapi.json</c>. Built only when it is configured, so that a small board pays
/// nothing for it.</summary>
internal static class LocalApi
{
    /// <param name="site">For HTTPS; <c>null</c> for a node without certificates.</param>
    public static async Task RunAsync(
        NodeOperations operations, MqttBroker broker, NodeConfiguration configuration, SiteTls? site, Func<AdminCredential?> admin, LoginGuard guard,
        JournalLog journal, TimeProvider time, CancellationToken cancel)
    {
        var open = configuration.AllowAnonymous;
        var tls = site is null ? null : new TlsEntrance(site, time, journal.For("api"));
        var routes = new RouteTable();
        Map(routes, operations);
        var gate = new Gate(open, admin, site, guard);
        var webSockets = new WebSocketEntrance(broker, open);
        using var server = new HttpServer(configuration.ApiListen, configuration.ApiTlsListen is { } address ? (address, tls!) : null, journal, context =>
            gate.InvokeAsync(context, admitted => ExplainAsync(admitted, explained => webSockets.InvokeAsync(explained, routes.ServeAsync))));
        try
        {
            await server.StartAsync(cancel);
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            var key = configuration.ApiTlsListen is null ? "Api.Listen" : configuration.ApiListen is null ? "Api.Tls.Listen" : "Api.Listen or Api.Tls.Listen";
            throw new ConfigurationException([$"{key}: {error.Message}"]);
        }
        if (site is not null)
            site.TrustChanged += tls!.JudgeAgain;
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancel);
        }
        finally
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await server.StopAsync(patience.Token);
        }
    }

    internal static void Map(RouteTable routes, NodeOperations operations)
    {
        routes.MapGet("/healthz", context => WriteTextAsync(context, "text/plain; charset=utf-8", "ok\n"));
        routes.MapGet("/metrics", async context =>
        {
            var overlay = await operations.Overlay.FiguresAsync();
            var paths = await operations.Overlay.ListAsync();
            await WriteTextAsync(context, "text/plain; version=0.0.4; charset=utf-8", MetricsText.Write(operations, overlay, paths));
        });
        routes.MapGet("/openapi.json", context => WriteTextAsync(context, "application/json", OpenApiDocument.Text));
        routes.MapGet("/api/v1/node", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Node(), FirmwareJson.Default.NodeView)));
        routes.MapGet("/api/v1/peers", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Peers(), FirmwareJson.Default.PeerViewArray)));
        routes.MapGet("/api/v1/forecast", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Forecast(), FirmwareJson.Default.NodeForecastView)));
        routes.MapGet("/api/v1/links", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Links.List(), FirmwareJson.Default.LinkListView)));
        routes.MapGet("/api/v1/paths", async context =>
            await WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(await operations.Overlay.ListAsync(), FirmwareJson.Default.PeerPathsViewArray)));
        routes.MapGet("/api/v1/bridges", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Bridges(), FirmwareJson.Default.BridgeViewArray)));
        routes.MapGet("/api/v1/workloads", context => WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Workloads(), FirmwareJson.Default.WorkloadViewArray)));
        routes.MapPost("/api/v1/workloads", async context =>
        {
            var made = await operations.DeployAsync(NodeOperations.ReadSpec(await ReadBodyAsync(context)));
            context.Response.Headers.Location = $"/api/v1/workloads/{made.Id}";
            await WriteAsync(context, 201, JsonSerializer.SerializeToUtf8Bytes(made, FirmwareJson.Default.WorkloadView));
        });
        routes.MapGet("/api/v1/workloads/{name}", context =>
            WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(operations.Workload(NameOf(context)), FirmwareJson.Default.WorkloadView)));
        routes.MapPost("/api/v1/workloads/{name}/migrate", async context =>
        {
            var to = ReadTarget(await ReadBodyAsync(context));
            var moved = await operations.MigrateAsync(NameOf(context), to);
            await WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(moved, FirmwareJson.Default.MoveView));
        });
        routes.MapDelete("/api/v1/workloads/{name}", async context =>
            await WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(await operations.RemoveAsync(NameOf(context)), FirmwareJson.Default.WorkloadView)));
        routes.MapGet("/api/v1/workloads/{name}/logs", context => WriteLogsAsync(context, operations));
        PlacementRoutes.Map(routes, () => operations.Placement);
        ClientRoutes.Map(routes, () => operations.Clients);
        UserRoutes.Map(routes, () => operations.Users);
        routes.MapGet("/api/v1/events", context => WriteEventsAsync(context, operations));
    }

    private static async Task WriteLogsAsync(HttpContext context, NodeOperations operations)
    {
        var query = context.Request.Query;
        int? tail = null;
        if (query.TryGetValue("tail", out var asked))
            tail = int.TryParse(asked, out var lines) ? lines : throw new OperationRefusedException(400, $"tail: '{asked}' is no number");
        var follow = query.TryGetValue("follow", out var flag) && flag == "true";
        var logs = operations.LogsAsync(NameOf(context), tail, follow, context.RequestAborted);
        context.Response.ContentType = "text/plain; charset=utf-8";
        await foreach (var line in logs)
        {
            await context.Response.WriteAsync(line.Text + "\n", context.RequestAborted);
            if (follow)
                await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>Server-sent events (WHATWG HTML, section 9.2): every state change with its reason; <c>Last-Event-ID</c> continues.</summary>
    private static async Task WriteEventsAsync(HttpContext context, NodeOperations operations)
    {
        var after = long.TryParse(context.Request.Headers["Last-Event-ID"], out var last) ? last : 0;
        using var follower = operations.Events.Follow(after);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await foreach (var happened in follower.ReadAllAsync(context.RequestAborted))
        {
            var data = JsonSerializer.Serialize(happened, FirmwareJson.Default.EventView);
            await context.Response.WriteAsync($"id: {happened.Sequence}\nevent: {happened.Kind}\ndata: {data}\n\n", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    /// <summary>Turns refusals into RFC 9457 problem details.</summary>
    private static async Task ExplainAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { StatusCode: 404 or 405, HasStarted: false, ContentLength: null, ContentType: null })
                await WriteProblemAsync(context, new OperationRefusedException(context.Response.StatusCode, $"{context.Request.Method} {context.Request.Path} is no route; see /openapi.json"));
        }
        catch (OperationRefusedException refused) when (!context.Response.HasStarted)
        {
            await WriteProblemAsync(context, refused);
        }
        catch (EngineException error) when (!context.Response.HasStarted)
        {
            await WriteProblemAsync(context, NodeOperations.Refusal(error));
        }
        catch (EngineException)
        {
            context.Abort(); // the log is cut off, and must not look whole
        }
        catch (BadHttpRequestException error) when (!context.Response.HasStarted)
        {
            await WriteProblemAsync(context, new OperationRefusedException(error.StatusCode, error.Message));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone.
        }
    }

    private static Task WriteProblemAsync(HttpContext context, OperationRefusedException refused) =>
        WriteAsync(context, refused.Status, JsonSerializer.SerializeToUtf8Bytes(refused.ToProblem(), FirmwareJson.Default.ProblemView), "application/problem+json");

    internal static string NameOf(HttpContext context) => (string)context.Request.RouteValues["name"]!;

    internal static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            return body.ToArray();
        }
        catch (IOException error) when (error is not BadHttpRequestException)
        {
            throw new BadHttpRequestException($"the body did not come whole: {error.Message}", error); // cut off, or what is no TLS
        }
    }

    private static string? ReadTarget(byte[] body)
    {
        if (body.Length == 0)
            return null;
        try
        {
            return JsonSerializer.Deserialize(body, FirmwareJson.Default.MigrateRequest)?.To;
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"expected {{\"to\": \"node\"}} or nothing: {error.Message}");
        }
    }

    internal static async Task WriteAsync(HttpContext context, int status, byte[] body, string type = "application/json")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static Task WriteTextAsync(HttpContext context, string type, string text) => WriteAsync(context, 200, Encoding.UTF8.GetBytes(text), type);
}
