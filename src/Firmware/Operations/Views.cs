using System.Text.Json.Nodes;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>The shapes of the API and of <c>--json</c>; both are the same. Bytes, cores and shares (0-1) unless the name says otherwise.</summary>
internal sealed record NodeView(
    string Id, string Name, string Version, double[]? Location, int Level, string LevelWhy, bool Overloaded, ResourceView Resources,
    MachineView Machine, EngineView Engine, BrokerView Broker, MeshView? Mesh, double UptimeSeconds, bool Draining, string[] Links, string[] Labels,
    OutlookView Outlook, HealthView Health);

internal sealed record ResourceView(
    double CpuCores, double CpuLoad, double CpuFreeCores, double CpuPressure, long MemoryBytes, long MemoryFreeBytes, long DiskBytes,
    long DiskFreeBytes);

internal sealed record MachineView(string Architecture, int PageBytes, string Kernel, string OperatingSystem, string Model);

/// <param name="Description">Name and version; empty when none answers.</param>
internal sealed record EngineView(bool Reachable, string Description, string Socket);

internal sealed record BrokerView(
    string[] Listen, int Clients, int Sessions, int Subscriptions, int Retained, long MessagesIn, long MessagesOut, long MessagesDropped,
    long BytesIn, long BytesOut, long DiskBytes, long DiskBytesWritten, long DiskCommits, bool DiskFull);

/// <param name="Trouble">Why there is no connection, or why the last one ended; absent when all is well.</param>
/// <param name="Dropped">By cause.</param>
internal sealed record BridgeView(
    string Name, string Address, bool Connected, double? ConnectedSeconds, string? Remote, string? Trouble, long Attempts, int QueuedMessages, long QueuedBytes,
    long Forwarded, long Received, IReadOnlyDictionary<string, long> Dropped);

/// <param name="Profile"><c>lab</c>: one key for all nodes; <c>certificates</c>: <paramref name="Site"/> and <paramref name="CertificateGoodUntil"/> are given.</param>
internal sealed record MeshView(
    string Address, int Alive, int Suspect, int Dead, long DatagramsReceived, long DatagramsSent, long DatagramsForged, long DatagramsReplayed,
    long DatagramsMalformed, long ControlDropped, string Profile, string? Site, string? CertificateGoodUntil);

/// <param name="Status"><c>alive</c>, <c>suspect</c>, <c>dead</c> or <c>left</c>.</param>
/// <param name="Reach"><c>direct</c>: it answers; <c>hearsay</c>: only others have told of it; <c>silent</c>: it does not answer now; <c>none</c>.</param>
/// <param name="Level"><c>null</c> when no valid advertisement is known; so is all that follows from one.</param>
/// <param name="OfferAgeSeconds">Since it was heard.</param>
/// <param name="OfferExpiresSeconds">Until it is not believed any more.</param>
internal sealed record PeerView(
    string Name, string Id, string Address, string Status, string Why, string Reach, int? Level, string? LevelWhy, PeerResourceView? Resources,
    string? Engine, string? Architecture, double? RoundTripMs, bool? Overloaded, bool? Draining, string[]? Links, string[]? Labels,
    OutlookView? Outlook, double? OfferAgeSeconds, double? OfferExpiresSeconds);

internal sealed record PeerResourceView(double CpuCores, double CpuFreeCores, long MemoryBytes, long MemoryFreeBytes, long DiskFreeBytes);

/// <param name="State"><c>running</c>, <c>starting</c>, <c>moving</c> or <c>removed</c>.</param>
/// <param name="ContainerId">Known on the node that runs it.</param>
/// <param name="WaitingMessages">In this node's custody.</param>
internal sealed record WorkloadView(
    string Name, string User, string Id, string Node, string NodeId, string State, long Epoch, string? ContainerId, string Image,
    string[] Inputs, string[] Outputs, string Why, int WaitingMessages);

internal sealed record MoveView(
    string Workload, string From, string To, long Epoch, string Why, double SelectionMs, long BytesSent, double FreezeMs, double TotalMs);

/// <param name="Time">Wall clock of the node, RFC 3339; wrong on a node without a clock.</param>
internal sealed record EventView(
    long Sequence, string Time, string Kind, string Subject, string Why, IReadOnlyDictionary<string, double>? Figures,
    IReadOnlyDictionary<string, string>? Details);

internal sealed record VersionView(string Name, string Version, string Runtime);

internal sealed record MigrateRequest(string? To);

/// <summary>RFC 9457 problem details.</summary>
internal sealed record ProblemView(string Type, string Title, int Status, string Detail);

/// <summary>A request on the control socket: one line of JSON.</summary>
internal sealed record ControlRequest(string Command, string? Name = null, string? To = null, JsonObject? Spec = null, int? Tail = null, bool Follow = false, int? Count = null, int? IntervalMs = null);

/// <summary>A line of the answer. <paramref name="Status"/> as in HTTP; the last line ends the answer.</summary>
internal sealed record ControlReply(int Status, JsonNode? Body);
