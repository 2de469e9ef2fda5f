using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>How a bridge's messages wait, and the count of what became of them. Under the broker's lock.</summary>
internal sealed class BridgeQueue(BridgeOptions options, TopicMap map, ILogger logger, TimeProvider time) : IQueuePolicy
{
    /// <summary>At most one line in that time for each cause, with the count.</summary>
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly Dictionary<string, Drops> _dropped = [];

    public int Lanes => map.Lanes;

    public bool KeepsQoS0 => options.KeepsQoS0;

    public TimeSpan AgeMax => options.MessageAgeMax;

    public long Forwarded { get; private set; }

    public IReadOnlyDictionary<string, long> Dropped => _dropped.Keys.ToDictionary(cause => cause, cause => _dropped[cause].Count);

    /// <summary>What is on messages that came from the other broker.</summary>
    public string? RemoteMark { get; set; }

    public bool Wants(MqttMessage message) =>
        message.UserProperties.Count == 0 || ((RemoteMark is null || !BridgeMark.IsOn(message, RemoteMark)) && !BridgeMark.IsExhausted(message));

    public int LaneOf(MqttMessage message) => map.LaneOf(message.Topic);

    public void Ended(OutboundMessage message, DeliveryOutcome outcome, DropCause cause)
    {
        switch (cause)
        {
            case DropCause.None: if (outcome == DeliveryOutcome.Acknowledged) Forwarded++; break;
            case DropCause.QueueFull: Drop("queue-full", message.Message.Topic); break;
            case DropCause.TooOld: Drop("too-old", message.Message.Topic); break;
            case DropCause.Expired: Drop("expired", message.Message.Topic); break;
            case DropCause.TooLarge: Drop("too-large", message.Message.Topic); break;
            case DropCause.Refused: Drop("refused", message.Message.Topic); break;
            case DropCause.Away: Drop("away", message.Message.Topic); break;
        }
    }

    /// <summary>Counts a message that does not go over, and says so now and then.</summary>
    public void Drop(string cause, string topic)
    {
        if (!_dropped.TryGetValue(cause, out var drops)) _dropped.Add(cause, drops = new Drops());
        drops.Count++;
        var now = time.GetTimestamp();
        if (drops.LoggedAt is { } last && time.GetElapsedTime(last, now) < LogInterval) return;
        drops.LoggedAt = now;
        MqttLog.BridgeDropped(logger, options.Name, topic, cause, drops.Count);
    }

    private sealed class Drops
    {
        public long Count { get; set; }

        public long? LoggedAt { get; set; }
    }
}
