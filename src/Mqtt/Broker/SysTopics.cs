using System.Globalization;
using System.Text;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Publishes <c>$SYS/broker/...</c> with the names mosquitto gave them, while somebody listens, and greets new subscribers with what
/// holds now. Nobody else may publish there.
/// </summary>
internal sealed class SysTopics(BrokerCore core, BrokerOptions options)
{
    public const string FirstLevel = "$SYS";

    private readonly SysLoad _load = new();
    private TimeSpan _dueAt;
    private long _heapPeak;

    /// <summary>The broker alone publishes there.</summary>
    public static bool Owns(string topic) =>
        topic.StartsWith(FirstLevel, StringComparison.Ordinal) && (topic.Length == FirstLevel.Length || topic[FirstLevel.Length] == '/');

    /// <summary>Where it is told, retained, whether a bridge is connected: 1 or 0.</summary>
    public static string BridgeState(string name) => $"{FirstLevel}/broker/connection/{name}/state";

    public void Advance(BrokerStatistics statistics, Turn turn)
    {
        if (turn.Now < _dueAt) return;
        _dueAt = turn.Now + options.SysTopicsInterval;
        _load.Advance(statistics);
        if (!core.Router.HasSubscribersBelow(FirstLevel)) return;
        Tell(statistics, (topic, payload) => core.Router.Route(MessageOf(topic, payload), null, turn));
    }

    /// <summary>Like retained messages, with the state of this moment.</summary>
    public void Greet(Subscription subscription, BrokerStatistics statistics, Turn turn) => Tell(statistics, (topic, payload) =>
    {
        if (!TopicName.Matches(subscription.Filter, topic)) return;
        var greeting = new OutboundMessage(MessageOf(topic, payload), QoS.AtMostOnce) { Retain = true, SubscriptionIds = subscription.Ids };
        subscription.Session.Deliver(greeting, turn.Now, turn.Settled);
    });

    private static MqttMessage MessageOf(string topic, string payload) => new() { Topic = topic, Payload = Encoding.UTF8.GetBytes(payload) };

    private void Tell(BrokerStatistics statistics, Action<string, string> tell)
    {
        var held = Held();
        var heap = GC.GetTotalMemory(forceFullCollection: false);
        _heapPeak = Math.Max(_heapPeak, heap);
        Text("version", options.Version);
        Text("uptime", $"{(long)statistics.Uptime.TotalSeconds} seconds");
        Number("clients/connected", held.Connected);
        Number("clients/active", held.Connected);
        Number("clients/disconnected", statistics.Sessions - held.Connected);
        Number("clients/inactive", statistics.Sessions - held.Connected);
        Number("clients/expired", statistics.SessionsExpired);
        Number("clients/maximum", statistics.ConnectionsPeak);
        Number("clients/total", statistics.Sessions);
        Number("messages/received", statistics.PacketsIn);
        Number("messages/sent", statistics.PacketsOut);
        Number("messages/inflight", held.InFlight);
        Number("messages/stored", held.Messages + statistics.RetainedMessages);
        Number("store/messages/count", held.Messages + statistics.RetainedMessages);
        Number("store/messages/bytes", held.Bytes + statistics.RetainedBytes);
        Number("publish/messages/received", statistics.MessagesIn);
        Number("publish/messages/sent", statistics.MessagesOut);
        Number("publish/messages/dropped", statistics.MessagesDropped);
        Number("publish/bytes/received", statistics.PayloadBytesIn);
        Number("publish/bytes/sent", statistics.PayloadBytesOut);
        Number("bytes/received", statistics.BytesIn);
        Number("bytes/sent", statistics.BytesOut);
        Number("subscriptions/count", statistics.Subscriptions);
        Number("shared_subscriptions/count", statistics.SharedSubscriptions);
        Number("retained messages/count", statistics.RetainedMessages);
        Number("retained messages/bytes", statistics.RetainedBytes);
        Number("heap/current", heap);
        Number("heap/maximum", _heapPeak);
        _load.Tell(Text);

        void Text(string name, string value) => tell($"{FirstLevel}/broker/{name}", value);
        void Number(string name, long value) => Text(name, value.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What waits in sessions.</summary>
    private (int Connected, long Messages, long Bytes, long InFlight) Held()
    {
        var connected = 0;
        long messages = 0, bytes = 0, inFlight = 0;
        foreach (var session in core.Sessions.Values)
        {
            if (session.Link is not null) connected++;
            messages += session.Outbound.QueuedMessages;
            bytes += session.Outbound.QueuedBytes;
            inFlight += session.Outbound.InFlight;
        }

        return (connected, messages + inFlight, bytes, inFlight);
    }
}
