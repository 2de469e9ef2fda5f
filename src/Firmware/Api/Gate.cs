using System.Net;
using System.Text;
using System.Text.Json;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Mqtt.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Who may use the API: programs on the node itself, and from elsewhere the administrator with HTTP Basic and nodes of the site with
/// their certificate. A page in somebody's browser may not: it is told by its Origin header, or by a host name that is not the node's address
/// (DNS rebinding).</summary>
/// <param name="site">Judges certificates; <c>null</c> where none are asked for.</param>
internal sealed class Gate(bool open, Func<AdminCredential?> admin, SiteTls? site, LoginGuard guard)
{
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // MQTT has its own way to say who one is.
        if (context.Request.Path == "/healthz" || context.Request.Path == WebSocketEntrance.Path)
        {
            await next(context);
            return;
        }
        var certificate = context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        // Each request anew: it may have been revoked since the handshake.
        if (certificate is not null && site!.Judge(certificate.RawData) is { Length: > 0 } why)
        {
            await RefuseAsync(context, new OperationRefusedException(403, why));
            return;
        }
        var isMember = certificate is not null && !context.Request.Headers.ContainsKey("Origin");
        var local = context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote);
        if (open || isMember || (local && !IsFromBrowser(context.Request)) || await IsAdministratorAsync(context))
        {
            await next(context);
            return;
        }
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"edge-firmware\", charset=\"UTF-8\"";
        await RefuseAsync(context, new OperationRefusedException(401, "the administrator's name and password are needed from outside this node"));
    }

    private static async Task RefuseAsync(HttpContext context, OperationRefusedException refused)
    {
        context.Response.StatusCode = refused.Status;
        context.Response.ContentType = "application/problem+json";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(refused.ToProblem(), FirmwareJson.Default.ProblemView));
    }

    private static bool IsFromBrowser(HttpRequest request) =>
        request.Headers.ContainsKey("Origin") || !(request.Host.Host == "localhost" || IPAddress.TryParse(request.Host.Host.Trim('[', ']'), out _));

    private async ValueTask<bool> IsAdministratorAsync(HttpContext context)
    {
        const string scheme = "Basic ";
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) || header.Length > 1024)
            return false;
        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[scheme.Length..].Trim(), bytes, out var length))
            return false;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || admin() is not { } credential)
            return false;
        // As at the broker: an address that guesses waits, and is refused then.
        var address = context.Connection.RemoteIpAddress ?? IPAddress.None;
        if (!await guard.BeginAsync(address, context.RequestAborted))
            return false;
        var accepted = false;
        try
        {
            accepted = await credential.AcceptsAsync(text[..colon], Encoding.UTF8.GetBytes(text[(colon + 1)..]), context.RequestAborted);
            return accepted;
        }
        finally
        {
            guard.End(address, failed: !accepted);
        }
    }
}
