namespace EdgeFirmware.Firmware.Operations;

/// <param name="Total">Of all sessions that were asked for; the list may be cut.</param>
internal sealed record ClientListView(int Total, ClientView[] Clients);

/// <summary>A session of the broker, with its client or waiting for it.</summary>
/// <param name="Address">Where its last connection came from.</param>
/// <param name="Transport"><c>tcp</c>, <c>tls</c>, <c>webSocket</c>, <c>unix</c>, <c>sensorNet</c>; absent while the client is away, and of a bridge.</param>
/// <param name="Version"><c>3.1.1</c> or <c>5</c>.</param>
/// <param name="KeepAliveSeconds">0: none. Absent while the client is away.</param>
/// <param name="SessionExpirySeconds">How long the session outlives its connection.</param>
/// <param name="UnsentBytes">Written for the client and not taken by it.</param>
internal sealed record ClientView(
    string Id, string User, string Address, string? Transport, string Version, bool Connected, double? ConnectedSeconds, double? KeepAliveSeconds,
    double SessionExpirySeconds, int Subscriptions, int QueuedMessages, long QueuedBytes, int InFlight, int UnsentBytes);

/// <param name="WillTopic">Absent without a will.</param>
internal sealed record ClientDetailsView(ClientView Client, SubscriptionView[] Subscriptions, string? WillTopic);

/// <param name="Filter">As the client wrote it, with <c>$share</c>.</param>
internal sealed record SubscriptionView(string Filter, int Qos, bool NoLocal, bool RetainAsPublished, int RetainHandling, uint? Id);

/// <summary>Which sessions to list, or how one is to end.</summary>
/// <param name="Prefix">Only client IDs that begin so.</param>
/// <param name="EndSession">The session ends too, with what waits in it.</param>
internal sealed record ClientQuery(string? Prefix = null, int? Limit = null, bool EndSession = false, string? Reason = null);
