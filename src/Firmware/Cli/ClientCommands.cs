using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>The broker's clients.</summary>
internal static class ClientCommands
{
    public static Command Create() => new("clients", "Who is connected to the broker, or is waited for.")
    {
        List(),
        Show(),
        Kick(),
    };

    private static Command List()
    {
        var node = new NodeChoice();
        var prefix = new Option<string?>("--prefix") { Description = "only client IDs that begin so", HelpName = "TEXT" };
        var limit = new Option<int?>("--limit") { Description = $"at most so many, {ClientDesk.ListedUsually} unless told", HelpName = "N" };
        var command = node.AddTo(new Command("list", "List the clients.") { prefix, limit });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, new ControlRequest("clients", Spec: Of(new ClientQuery(parsed.GetValue(prefix), parsed.GetValue(limit)))), (answer, output) =>
            {
                var list = answer.Deserialize(FirmwareJson.Default.ClientListView)!;
                var table = new TextTable("ID", "USER", "STATE", "OVER", "MQTT", "ADDRESS", "SUBSCRIPTIONS", "WAITING", "BYTES", "IN FLIGHT");
                foreach (var client in list.Clients)
                    table.Add(
                        client.Id, client.User, StateOf(client), client.Transport ?? "-", client.Version, client.Address, client.Subscriptions.ToString(),
                        client.QueuedMessages.ToString(), client.QueuedBytes.ToString(), client.InFlight.ToString());
                table.Write(output);
                if (list.Total > list.Clients.Length)
                    output.WriteLine($"{list.Total - list.Clients.Length} more");
            }, cancel));
        return command;
    }

    private static Command Show()
    {
        var node = new NodeChoice();
        var id = Id();
        var command = node.AddTo(new Command("show", "Show a client: connection, session, subscriptions.") { id });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("client", parsed.GetValue(id)), (answer, output) =>
        {
            var (client, subscriptions, will) = answer.Deserialize(FirmwareJson.Default.ClientDetailsView)!;
            output.WriteLine($"client     {client.Id}, user {client.User}");
            output.WriteLine($"state      {StateOf(client)}{(client.Connected ? $" over {client.Transport ?? "a bridge"}, keep-alive {client.KeepAliveSeconds ?? 0} s" : "")}");
            output.WriteLine($"address    {client.Address}, MQTT {client.Version}");
            output.WriteLine($"session    outlives its connection by {client.SessionExpirySeconds:0} s");
            output.WriteLine($"waiting    {client.QueuedMessages} messages, {client.QueuedBytes} bytes; {client.InFlight} in flight; {client.UnsentBytes} bytes not taken");
            output.WriteLine($"will       {will ?? "none"}");
            var table = new TextTable("FILTER", "QOS", "OPTIONS");
            foreach (var one in subscriptions)
                table.Add(one.Filter, one.Qos.ToString(), OptionsOf(one));
            if (subscriptions.Length > 0)
                table.Write(output);
        }, cancel));
        return command;
    }

    private static Command Kick()
    {
        var node = new NodeChoice();
        var id = Id();
        var end = new Option<bool>("--end-session") { Description = "end its session too, with what waits in it" };
        var reason = new Option<string?>("--reason") { Description = "told to a client of MQTT 5", HelpName = "TEXT" };
        var command = node.AddTo(new Command("kick", "Disconnect a client; it may come back unless its user may not.") { id, end, reason });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed,
            new ControlRequest("client-kick", parsed.GetValue(id), Spec: Of(new ClientQuery(EndSession: parsed.GetValue(end), Reason: parsed.GetValue(reason)))),
            (answer, output) =>
            {
                var client = answer.Deserialize(FirmwareJson.Default.ClientDetailsView)!.Client;
                output.WriteLine(parsed.GetValue(end) ? $"the session of {client.Id} ended, {client.QueuedMessages} messages waited in it" : $"{client.Id} disconnected");
            }, cancel));
        return command;
    }

    private static string StateOf(ClientView client) =>
        client.ConnectedSeconds is { } seconds ? $"for {TimeSpan.FromSeconds(Math.Floor(seconds))}" : client.Connected ? "connected" : "away";

    private static string OptionsOf(SubscriptionView one)
    {
        List<string> options = [];
        if (one.NoLocal)
            options.Add("no-local");
        if (one.RetainAsPublished)
            options.Add("retain-as-published");
        if (one.RetainHandling > 0)
            options.Add($"retain-handling {one.RetainHandling}");
        if (one.Id is { } id)
            options.Add($"id {id}");
        return options.Count == 0 ? "-" : string.Join(", ", options);
    }

    private static JsonObject? Of(ClientQuery query) => (JsonObject?)JsonSerializer.SerializeToNode(query, FirmwareJson.Default.ClientQuery);

    private static Argument<string> Id() => new("ID") { Description = "client ID" };
}
