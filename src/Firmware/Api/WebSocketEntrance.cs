using System.Net;
using System.Net.WebSockets;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeFirmware.Firmware.Api;

/// <summary>MQTT over WebSocket at <c>/mqtt</c>. Who a client is says its CONNECT, as on every way in; a browser adds nothing of its own to that.
/// Only where anybody may connect, a page of somewhere else may not: it would act for whoever looks at it.</summary>
internal sealed class WebSocketEntrance(MqttBroker broker, bool open)
{
    public const string Path = "/mqtt";
    private const int KeyBytes = 16;

    public Task InvokeAsync(HttpContext context, RequestDelegate next) => context.Request.Path == Path ? ServeAsync(context) : next(context);

    private async Task ServeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        var key = headers.SecWebSocketKey.ToString();
        if (upgrade is not { IsUpgradableRequest: true } || !Names(headers.Upgrade, "websocket") || headers.SecWebSocketVersion != "13" || !IsKey(key))
        {
            headers = context.Response.Headers;
            (headers.Upgrade, headers.SecWebSocketVersion) = ("websocket", "13");
            throw new OperationRefusedException(426, "MQTT over WebSocket (RFC 6455, version 13) is spoken here");
        }

        if (!Names(headers.SecWebSocketProtocol, WebSocketUpgrade.SubProtocol))
            throw new OperationRefusedException(400, $"the sub-protocol '{WebSocketUpgrade.SubProtocol}' has to be offered");
        if (open && headers.Origin.Count > 0 && !IsOwn(headers.Origin.ToString(), context.Request.Host))
            throw new OperationRefusedException(403, "a page of somewhere else may not use a broker that is open to anybody");
        var answer = context.Response.Headers;
        answer.Upgrade = "websocket";
        answer.Connection = "Upgrade";
        answer.SecWebSocketAccept = WebSocketUpgrade.Accept(key);
        answer.SecWebSocketProtocol = WebSocketUpgrade.SubProtocol;
        await using var stream = await upgrade.UpgradeAsync();
        using var socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions
        {
            IsServer = true, SubProtocol = WebSocketUpgrade.SubProtocol, KeepAliveInterval = Timeout.InfiniteTimeSpan,
        });
        var remote = context.Connection;
        await broker.ServeAsync(socket, new IPEndPoint(remote.RemoteIpAddress ?? IPAddress.None, remote.RemotePort).ToString());
    }

    private static bool Names(Microsoft.Extensions.Primitives.StringValues header, string name) =>
        header.ToString().Split(',', StringSplitOptions.TrimEntries).Contains(name, StringComparer.OrdinalIgnoreCase);

    private static bool IsKey(string key) => Convert.TryFromBase64String(key, stackalloc byte[KeyBytes + 2], out var length) && length == KeyBytes;

    /// <summary>The node's own address; a name could have been made to lead here (DNS rebinding).</summary>
    private static bool IsOwn(string origin, HostString host) => Uri.TryCreate(origin, UriKind.Absolute, out var page)
        && string.Equals(page.Authority, host.Value, StringComparison.OrdinalIgnoreCase)
        && (host.Host == "localhost" || IPAddress.TryParse(host.Host.Trim('[', ']'), out _));
}
