using System.Text.Json;
using EdgeFirmware.Firmware.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeFirmware.Firmware.Api;

/// <summary>The broker's clients over HTTP. A client ID in a path is percent-encoded, its slashes too.</summary>
internal static class ClientRoutes
{
    private const string All = "/api/v1/clients";

    /// <param name="desk">Asked at each request, as the routes are described without a node too.</param>
    public static void Map(RouteTable routes, Func<ClientDesk> desk)
    {
        routes.MapGet(All, context =>
            LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(desk().List(QueryOf(context)), FirmwareJson.Default.ClientListView)));
        routes.MapGet($"{All}/{{name}}", context => WriteAsync(context, desk().Show(IdOf(context))));
        routes.MapDelete($"{All}/{{name}}", context => WriteAsync(context, desk().Kick(IdOf(context), QueryOf(context))));
    }

    private static ClientQuery QueryOf(HttpContext context)
    {
        var query = context.Request.Query;
        int? limit = null;
        if (query.TryGetValue("limit", out var asked))
            limit = int.TryParse(asked, out var number) ? number : throw new OperationRefusedException(400, $"limit: '{asked}' is no number");
        return new ClientQuery(query["prefix"], limit, query["endSession"] == "true", query["reason"]);
    }

    /// <summary>From the target as it was sent: in a decoded path an encoded slash stays encoded, and cannot be told from one that is meant so.</summary>
    private static string IdOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var path = target.AsSpan()[..(target.IndexOf('?') is >= 0 and var end ? end : target.Length)];
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }

    private static Task WriteAsync(HttpContext context, ClientDetailsView client) =>
        LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(client, FirmwareJson.Default.ClientDetailsView));
}
