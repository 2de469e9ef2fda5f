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

    /// <summary>The broker alone publishes there.</summary>
    public static bool Owns(string topic) =>
        topic.StartsWith(FirstLevel, StringComparison.Ordinal) && (topic.Length == FirstLevel.Length || topic[FirstLevel.Length] == '/');

    /// <summary>Where it is told, retained, whether a bridge is connected: 1 or 0.</summary>
    public static string BridgeState(string name) => $"{FirstLevel}/broker/connection/{name}/state";

    public bool IsDue(TimeSpan now) => now >= _dueAt;

    public void Advance(BrokerStatistics statistics, Turn turn)
    {
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
        Text("version", options.Version);
        Text("uptime", $"{(long)statistics.Uptime.TotalSeconds} seconds");
        foreach (var metric in BrokerMetric.All)
        {
            if (metric.SysNames.Length == 0) continue;
            var value = metric.Read(statistics).ToString(CultureInfo.InvariantCulture);
            foreach (var name in metric.SysNames) Text(name, value);
        }

        _load.Tell(Text);

        void Text(string name, string value) => tell($"{FirstLevel}/broker/{name}", value);
    }
}
