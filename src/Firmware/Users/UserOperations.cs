using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Users;

/// <summary>What can be asked about users and tenants over the control socket.</summary>
internal static class UserOperations
{
    /// <summary>Null: it is no such command.</summary>
    public static async Task<JsonNode?> DoAsync(UserDesk desk, ControlRequest request)
    {
        string Name() => request.Name ?? throw new OperationRefusedException(400, "a name is needed");
        var change = () => Read(request.Spec?.ToJsonString());
        switch (request.Command)
        {
            case "users": return JsonSerializer.SerializeToNode(desk.Users(), FirmwareJson.Default.UserViewArray);
            case "user": return Node(desk.User(Name()));
            case "user-add": return Node(await desk.AddUserAsync(Name(), change()));
            case "user-change": return Node(await desk.ChangeUserAsync(Name(), change()));
            case "user-remove": return Node(await desk.RemoveUserAsync(Name()));
            case "tenants": return JsonSerializer.SerializeToNode(desk.Tenants(), FirmwareJson.Default.TenantViewArray);
            case "tenant": return Node(desk.Tenant(Name()));
            case "tenant-add": return Node(await desk.AddTenantAsync(Name(), change()));
            case "tenant-change": return Node(await desk.ChangeTenantAsync(Name(), change()));
            case "tenant-remove": return Node(await desk.RemoveTenantAsync(Name()));
            case "logins": return JsonSerializer.SerializeToNode(desk.Logins, FirmwareJson.Default.LoginsView);
            case "pardon":
                desk.Pardon(Name());
                return JsonSerializer.SerializeToNode(desk.Logins, FirmwareJson.Default.LoginsView);
            default: return null;
        }
    }

    /// <exception cref="OperationRefusedException">With what the reader complains of.</exception>
    public static UserChange Read(string? json)
    {
        try
        {
            return JsonSerializer.Deserialize(json ?? "{}", FirmwareJson.Default.UserChange) ?? new UserChange();
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"not a change of a user: {error.Message}");
        }
    }

    private static JsonNode? Node(UserView view) => JsonSerializer.SerializeToNode(view, FirmwareJson.Default.UserView);

    private static JsonNode? Node(UserChangedView view) => JsonSerializer.SerializeToNode(view, FirmwareJson.Default.UserChangedView);

    private static JsonNode? Node(TenantView view) => JsonSerializer.SerializeToNode(view, FirmwareJson.Default.TenantView);
}
