using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeFirmware.Lab.Sites;

/// <summary>A neighbour as a node sees it (<c>peers --json</c>).</summary>
/// <param name="Level">-1 when no valid advertisement of it is known.</param>
public sealed record PeerView(string Name, string Id, string Status, int Level, double CpuFreeCores, double? RoundTripMs);

/// <summary>A workload as a node knows it (<c>workloads --json</c>).</summary>
public sealed record WorkloadView(string User, string Name, string? Node, string State, long Epoch, string? ContainerId)
{
    /// <summary><c>user-name</c>, whichever of the two the list names it by.</summary>
    public string Id => Name.StartsWith(User + "-", StringComparison.Ordinal) ? Name : $"{User}-{Name}";
}

/// <summary>A finished move, from the answer of <c>migrate --json</c> or from the event <c>moved</c>.</summary>
public sealed record MoveView(
    string From, string To, long Epoch, string? Why, double SelectionMilliseconds, long BytesSent, double FreezeMilliseconds, double TotalMilliseconds);

/// <summary>A candidate of a decision (<c>why --json</c>).</summary>
/// <param name="Verdict"><c>chosen</c>, <c>here</c>, <c>fit</c>, <c>refused</c> or <c>unfit</c>.</param>
/// <param name="Cost"><c>null</c> when unfit.</param>
public sealed record CandidateView(string Node, string Verdict, string Why, double? Cost);

/// <param name="Heard">Timestamp of the lab's monotonic clock.</param>
/// <param name="Node">Whose event stream it came from.</param>
public sealed record NodeEvent(long Heard, string Node, string Kind, string Subject, string Why, JsonNode Json);

/// <summary>Reads the firmware's JSON. Names only: a missing one is an error that says which.</summary>
public static class FirmwareJson
{
    public static PeerView Peer(JsonNode node) =>
        new(Text(node, "name"), Text(node, "id"), Text(node, "status").ToLowerInvariant(), node["level"]?.GetValue<int>() ?? -1,
            node["resources"]?["cpuFreeCores"]?.GetValue<double>() ?? 0, node["roundTripMs"]?.GetValue<double>());

    public static WorkloadView Workload(JsonNode node) => new(
        Text(node, "user"), Text(node, "name"), NodeName((string?)node["node"]), Text(node, "state"), (long)Number(node, "epoch"),
        (string?)node["containerId"]);

    /// <summary>From the answer of <c>migrate</c>, which has everything side by side, or from an event, which has numbers among its
    /// <c>figures</c> and the rest among its <c>details</c>.</summary>
    public static MoveView Move(JsonNode node)
    {
        var (figures, details) = (node["figures"] ?? node, node["details"] ?? node);
        return new MoveView(
            NodeName(Text(details, "from"))!, NodeName(Text(details, "to"))!, (long)Number(figures, "epoch"), (string?)node["why"],
            Number(figures, "selectionMs"), (long)Number(figures, "bytesSent"), Number(figures, "freezeMs"), Number(figures, "totalMs"));
    }

    /// <summary>Of a decision that the node knows; best first.</summary>
    public static IReadOnlyList<CandidateView> Candidates(JsonNode? decision) =>
    [
        .. Items(Field(decision ?? throw new JsonException("no decision is known"), "candidates")).Select(node => new CandidateView(
            NodeName(Text(node, "node"))!, Text(node, "verdict"), Text(node, "why"), node["cost"]?.GetValue<double>())),
    ];

    public static IEnumerable<JsonNode> Items(JsonNode list) =>
        list as JsonArray is { } items ? items.Select(item => item!) : throw new JsonException($"not a list: {list.ToJsonString()}");

    /// <summary>A node is named by its name or its ID (<c>name/MAC</c>); the lab speaks of names.</summary>
    public static string? NodeName(string? text) => text?.Split('/')[0];

    private static string Text(JsonNode node, string name) => (string?)Field(node, name) ?? "";

    private static double Number(JsonNode node, string name) => Field(node, name).GetValue<double>();

    private static JsonNode Field(JsonNode node, string name) =>
        node[name] ?? throw new JsonException($"no '{name}' in {node.ToJsonString()}");
}
