namespace EdgeFirmware.Mqtt.Broker;

/// <summary>A number that a broker tells of itself: through <c>System.Diagnostics.Metrics</c> and, where mosquitto has a name for it, below <c>$SYS</c>.</summary>
/// <param name="Name">With dots, after OpenTelemetry's conventions.</param>
/// <param name="IsCounter">It only grows; otherwise it is a gauge.</param>
/// <param name="Unit">In UCUM: <c>By</c>, <c>s</c>, or what is counted in braces.</param>
/// <param name="SysNames">Below <c>$SYS/broker/</c>.</param>
public sealed record BrokerMetric(string Name, bool IsCounter, string Unit, string Meaning, Func<BrokerStatistics, long> Read, params string[] SysNames)
{
    private const string Prefix = "mqtt.broker.";

    /// <summary>All but the limits, of which there is one for each <see cref="BrokerLimit"/>.</summary>
    public static IReadOnlyList<BrokerMetric> All { get; } =
    [
        Gauge("uptime", "s", "Since the broker was made.", now => (long)now.Uptime.TotalSeconds),
        Gauge("connections", "{connection}", "Open connections, those before their CONNECT included.", now => now.Connections),
        Counter("connections.accepted", "{connection}", "Clients that were let in.", now => now.ConnectionsAccepted),
        Gauge("clients.connected", "{client}", "Clients that are connected.", now => now.ClientsConnected, "clients/connected", "clients/active"),
        Gauge("clients.disconnected", "{client}", "Sessions that wait for their client.", now => now.Sessions - now.ClientsConnected, "clients/disconnected", "clients/inactive"),
        Counter("clients.expired", "{client}", "Sessions that ended because their client stayed away.", now => now.SessionsExpired, "clients/expired"),
        Gauge("clients.maximum", "{client}", "Most connections there ever were at once.", now => now.ConnectionsPeak, "clients/maximum"),
        Gauge("sessions", "{session}", "Sessions, connected or waiting for their client.", now => now.Sessions, "clients/total"),
        Gauge("subscriptions", "{subscription}", "Subscriptions.", now => now.Subscriptions, "subscriptions/count"),
        Gauge("subscriptions.shared", "{subscription}", "Members of shared subscriptions.", now => now.SharedSubscriptions, "shared_subscriptions/count"),
        Gauge("subscriptions.bytes", "By", "Estimate of what subscriptions take.", now => now.SubscriptionBytes),
        Counter("packets.received", "{packet}", "Packets of every type from clients.", now => now.PacketsIn, "messages/received"),
        Counter("packets.sent", "{packet}", "Packets of every type to clients.", now => now.PacketsOut, "messages/sent"),
        Counter("messages.received", "{message}", "Messages from clients and from this process.", now => now.MessagesIn, "publish/messages/received"),
        Counter("messages.sent", "{message}", "Messages to clients, repetitions not counted.", now => now.MessagesOut, "publish/messages/sent"),
        Counter("messages.dropped", "{message}", "Messages refused, or dropped at a limit, by expiry or for an absent client.", now => now.MessagesDropped, "publish/messages/dropped"),
        Counter("messages.queued", "{message}", "Messages that could not be sent at once and had to wait.", now => now.MessagesQueued),
        Gauge("messages.inflight", "{message}", "Messages sent and not acknowledged.", now => now.MessagesInFlight, "messages/inflight"),
        Gauge(
            "messages.stored", "{message}", "Messages that wait, are in flight or are retained.", now => now.MessagesWaiting + now.MessagesInFlight + now.RetainedMessages,
            "messages/stored", "store/messages/count"),
        Gauge("messages.stored.bytes", "By", "What messages that wait or are retained take.", now => now.BytesWaiting + now.RetainedBytes, "store/messages/bytes"),
        Counter("publishers.slowed", "{time}", "Times a publisher was not read from for a moment, because memory was short.", now => now.PublishersSlowed),
        Counter("payload.received.bytes", "By", "Payloads of messages received.", now => now.PayloadBytesIn, "publish/bytes/received"),
        Counter("payload.sent.bytes", "By", "Payloads of messages sent, repetitions counted.", now => now.PayloadBytesOut, "publish/bytes/sent"),
        Counter("datagrams.bad", "{datagram}", "Datagrams from sensors that were no MQTT-SN.", now => now.BadDatagrams),
        Counter("bytes.received", "By", "Bytes from clients.", now => now.BytesIn, "bytes/received"),
        Counter("bytes.sent", "By", "Bytes to clients.", now => now.BytesOut, "bytes/sent"),
        Gauge("retained.messages", "{message}", "Retained messages.", now => now.RetainedMessages, "retained messages/count"),
        Gauge("retained.bytes", "By", "What retained messages take.", now => now.RetainedBytes, "retained messages/bytes"),
        Gauge("held.bytes", "By", "Messages that wait or are in flight, wills, and bytes not sent yet.", now => now.HeldBytes),
        Gauge("unsent.bytes", "By", "Bytes that clients have not taken yet.", now => now.UnsentBytes),
        Gauge("receiving.bytes", "By", "Buffers with unfinished packets.", now => now.ReceivingBytes),
        Gauge("disk.bytes", "By", "What sessions and retained messages take on disk.", now => now.DiskBytes),
        Counter("disk.written.bytes", "By", "Whole pages written for them, which is what wears flash.", now => now.DiskBytesWritten),
        Counter("disk.commits", "{commit}", "Syncs of the disk for them.", now => now.DiskCommits),
        Gauge("disk.full", "1", "1 while publishers are refused what would have to be kept.", now => now.DiskIsFull ? 1 : 0),
        Gauge("heap.bytes", "By", "Managed heap of the process.", now => now.HeapBytes, "heap/current"),
        Gauge("heap.maximum.bytes", "By", "The largest heap seen.", now => now.HeapBytesPeak, "heap/maximum"),
    ];

    private static BrokerMetric Counter(string name, string unit, string meaning, Func<BrokerStatistics, long> read, params string[] sysNames) =>
        new(Prefix + name, IsCounter: true, unit, meaning, read, sysNames);

    private static BrokerMetric Gauge(string name, string unit, string meaning, Func<BrokerStatistics, long> read, params string[] sysNames) =>
        new(Prefix + name, IsCounter: false, unit, meaning, read, sysNames);
}
