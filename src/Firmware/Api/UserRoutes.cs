using System.Text;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;
using Microsoft.AspNetCore.Http;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Users, tenants and refused addresses over HTTP. Who may use the API may deploy containers, which is no less.</summary>
internal static class UserRoutes
{
    /// <param name="desk">Asked at each request, as the routes are described without a node too.</param>
    public static void Map(RouteTable routes, Func<UserDesk> desk)
    {
        routes.MapGet("/api/v1/users", context =>
            LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(desk().Users(), FirmwareJson.Default.UserViewArray)));
        routes.MapGet("/api/v1/users/{name}", context => WriteAsync(context, desk().User(LocalApi.NameOf(context))));
        routes.MapPost("/api/v1/users/{name}", async context =>
            await WriteAsync(context, 201, await desk().AddUserAsync(LocalApi.NameOf(context), await ReadAsync(context))));
        routes.MapPatch("/api/v1/users/{name}", async context =>
            await WriteAsync(context, 200, await desk().ChangeUserAsync(LocalApi.NameOf(context), await ReadAsync(context))));
        routes.MapDelete("/api/v1/users/{name}", async context => await WriteAsync(context, await desk().RemoveUserAsync(LocalApi.NameOf(context))));
        routes.MapGet("/api/v1/tenants", context =>
            LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(desk().Tenants(), FirmwareJson.Default.TenantViewArray)));
        routes.MapGet("/api/v1/tenants/{name}", context => WriteAsync(context, 200, desk().Tenant(LocalApi.NameOf(context))));
        routes.MapPost("/api/v1/tenants/{name}", async context =>
            await WriteAsync(context, 201, await desk().AddTenantAsync(LocalApi.NameOf(context), await ReadAsync(context))));
        routes.MapPatch("/api/v1/tenants/{name}", async context =>
            await WriteAsync(context, 200, await desk().ChangeTenantAsync(LocalApi.NameOf(context), await ReadAsync(context))));
        routes.MapDelete("/api/v1/tenants/{name}", async context => await WriteAsync(context, 200, await desk().RemoveTenantAsync(LocalApi.NameOf(context))));
        routes.MapGet("/api/v1/logins", context =>
            LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(desk().Logins, FirmwareJson.Default.LoginsView)));
    }

    private static async Task<UserChange> ReadAsync(HttpContext context)
    {
        var body = await LocalApi.ReadBodyAsync(context);
        return UserOperations.Read(body.Length == 0 ? null : Encoding.UTF8.GetString(body));
    }

    private static Task WriteAsync(HttpContext context, UserView user) =>
        LocalApi.WriteAsync(context, 200, JsonSerializer.SerializeToUtf8Bytes(user, FirmwareJson.Default.UserView));

    private static Task WriteAsync(HttpContext context, int status, UserChangedView changed) =>
        LocalApi.WriteAsync(context, status, JsonSerializer.SerializeToUtf8Bytes(changed, FirmwareJson.Default.UserChangedView));

    private static Task WriteAsync(HttpContext context, int status, TenantView tenant) =>
        LocalApi.WriteAsync(context, status, JsonSerializer.SerializeToUtf8Bytes(tenant, FirmwareJson.Default.TenantView));
}
