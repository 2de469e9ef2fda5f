using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>What can be asked about the broker's clients and done to them.</summary>
internal sealed class ClientDesk(MqttBroker broker, EventLog events)
{
    public const int ListedMax = 10_000;
    public const int ListedUsually = 1000;
    private const int ReasonCharsMax = 200;

    public ClientListView List(ClientQuery query)
    {
        if (query.Limit is < 1 or > ListedMax)
            throw new OperationRefusedException(400, $"limit: a number from 1 to {ListedMax}");
        var found = broker.Clients.Where(client => client.ClientId.StartsWith(query.Prefix ?? "", StringComparison.Ordinal)).ToList();
        found.Sort((one, other) => string.CompareOrdinal(one.ClientId, other.ClientId));
        return new ClientListView(found.Count, [.. found.Take(query.Limit ?? ListedUsually).Select(ViewOf)]);
    }

    public ClientDetailsView Show(string id)
    {
        var details = broker.Inspect(id) ?? throw Unknown(id);
        return new ClientDetailsView(
            ViewOf(details.Client),
            [.. details.Subscriptions.OrderBy(one => one.Filter, StringComparer.Ordinal).Select(ViewOf)],
            details.WillTopic);
    }

    /// <summary>Ends a client's connection, and its session if that is asked for.</summary>
    /// <returns>As it was.</returns>
    public ClientDetailsView Kick(string id, ClientQuery how)
    {
        if (how.Reason is { } reason && (reason.Length > ReasonCharsMax || reason.Any(char.IsControl)))
            throw new OperationRefusedException(400, $"reason: at most {ReasonCharsMax} characters, without control characters");
        var was = Show(id);
        var isDone = how.EndSession
            ? broker.EndSession(id, ReasonCode.AdministrativeAction, how.Reason)
            : broker.Disconnect(id, ReasonCode.AdministrativeAction, how.Reason);
        if (!isDone)
            throw new OperationRefusedException(409, how.EndSession
                ? $"'{id}' is a bridge's session: take the bridge out of the configuration"
                : $"'{id}' is not connected; its session can be ended with what waits in it (--end-session, ?endSession=true)");
        events.Add(new NodeEvent(how.EndSession ? "client-ended" : "client-kicked", id, how.Reason ?? "asked by the operator"));
        return was;
    }

    /// <summary>Over the control socket; null: it is no such command.</summary>
    public JsonNode? Do(ControlRequest request)
    {
        string Id() => request.Name ?? throw new OperationRefusedException(400, "a client ID is needed");
        return request.Command switch
        {
            "clients" => JsonSerializer.SerializeToNode(List(Read(request.Spec)), FirmwareJson.Default.ClientListView),
            "client" => JsonSerializer.SerializeToNode(Show(Id()), FirmwareJson.Default.ClientDetailsView),
            "client-kick" => JsonSerializer.SerializeToNode(Kick(Id(), Read(request.Spec)), FirmwareJson.Default.ClientDetailsView),
            _ => null,
        };
    }

    private static ClientQuery Read(JsonObject? spec)
    {
        try
        {
            return spec.Deserialize(FirmwareJson.Default.ClientQuery) ?? new ClientQuery();
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"not a question about clients: {error.Message}");
        }
    }

    private static OperationRefusedException Unknown(string id) => new(404, $"there is no client '{id}'; see 'edge-firmware clients list'");

    private static ClientView ViewOf(ClientSnapshot client) => new(
        client.ClientId, client.User, client.RemoteAddress, client.Transport is { } transport ? JsonNamingPolicy.CamelCase.ConvertName(transport.ToString()) : null,
        client.Version == ProtocolVersion.V5 ? "5" : "3.1.1", client.Connected, client.ConnectedFor?.TotalSeconds, client.KeepAlive?.TotalSeconds,
        client.SessionExpiry.TotalSeconds, client.Subscriptions, client.QueuedMessages, client.QueuedBytes, client.InFlight, client.UnsentBytes);

    private static SubscriptionView ViewOf(SubscriptionSnapshot one) => new(
        one.Filter, (int)one.Options.MaximumQoS, one.Options.NoLocal, one.Options.RetainAsPublished, (int)one.Options.RetainHandling, one.Id);
}
