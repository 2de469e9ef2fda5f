using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>Everything a bridge is given when it is made. Not to be changed afterwards.</summary>
public sealed class BridgeOptions
{
    /// <value>Unique in its broker. One level of a topic.</value>
    public required string Name { get; set; }

    /// <value>
    /// The other broker: address (a name is looked up at each attempt), version, client id, credentials, keep-alive, largest packet, waits between
    /// attempts. What it says of sessions, wills and queues does not count. Its client id must stay the same and be unique over there.
    /// </value>
    public required MqttClientOptions Remote { get; set; }

    public required IReadOnlyList<BridgeTopic> Topics { get; set; }

    /// <value>Messages that wait for the other broker. What comes when it is full is not forwarded, and counted.</value>
    public int QueuedMessagesMax { get; set; } = 100_000;

    /// <value>Their size in memory. What of it is on disk counts against the broker's own bound too.</value>
    public long QueuedBytesMax { get; set; } = 64 << 20;

    /// <value>Longest wait of a message, counted anew after a restart; zero: none.</value>
    public TimeSpan MessageAgeMax { get; set; }

    /// <value>Let QoS 0 wait while the other broker is away, in memory. It is dropped first, the oldest of the least urgent.</value>
    public bool KeepsQoS0 { get; set; } = true;

    /// <value>Which topics of this broker the other one may publish to, besides what <see cref="Topics"/> says; null: all.</value>
    public Predicate<string>? TakesIn { get; set; }

    /// <value>Messages in flight at once; the other broker's receive maximum may lower it.</value>
    public int InFlightMax { get; set; } = 1024;

    /// <summary>All that is wrong with it.</summary>
    public IEnumerable<string> Faults
    {
        get
        {
            if (Name.Length is 0 or > 64 || !TopicName.IsValid(Name) || Name.Contains('/', StringComparison.Ordinal)) yield return $"'{Name}' is no name for a bridge";
            if (Remote.ClientId.Length == 0) yield return "a client id is needed";
            if (Topics.Count == 0) yield return "no topics";
            foreach (var topic in Topics)
            {
                if (topic.Fault is { } fault) yield return fault;
            }

            if (QueuedMessagesMax < 1 || QueuedBytesMax < 1 || InFlightMax < 1 || MessageAgeMax < TimeSpan.Zero) yield return "a bound is below 1";
        }
    }
}
