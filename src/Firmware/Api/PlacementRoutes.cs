using System.Text.Json;
using EdgeFirmware.Firmware.Operations;
using Microsoft.AspNetCore.Http;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Why a workload is where it is, and emptying the node, over HTTP.</summary>
internal static class PlacementRoutes
{
    /// <param name="desk">Asked at each request, as the routes are described without a node too.</param>
    public static void Map(RouteTable routes, Func<PlacementDesk> desk)
    {
        routes.MapGet("/api/v1/workloads/{name}/why", async context => await LocalApi.WriteAsync(
            context, 200, JsonSerializer.SerializeToUtf8Bytes(await desk().WhyAsync(LocalApi.NameOf(context)), FirmwareJson.Default.WhyView)));
        routes.MapGet("/api/v1/node/drain", context => WriteAsync(context, desk().Drain()));
        routes.MapPost("/api/v1/node/drain", async context => await WriteAsync(context, await desk().DrainAsync(true)));
        routes.MapDelete("/api/v1/node/drain", async context => await WriteAsync(context, await desk().DrainAsync(false)));
    }

    private static Task WriteAsync(HttpContext context, DrainView drain) =>
        LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(drain, FirmwareJson.Default.DrainView));
}
