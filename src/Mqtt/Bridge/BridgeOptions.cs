using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>Everything a bridge is given when it is made. Not to be changed afterwards.</summary>
public sealed class BridgeOptions
{
    public const int DialledInFlightMax = 1024;

    /// <summary>Most messages in flight with a <see cref="Carrier"/>: so many the other end remembers, to know one that comes again.</summary>
    public const int CarriedInFlightMax = 512;

    /// <value>Unique in its broker. One level of a topic.</value>
    public required string Name { get; set; }

    /// <value>
    /// The other broker: address (a name is looked up at each attempt), version, client id, credentials, keep-alive, largest packet, waits between
    /// attempts. What it says of sessions, wills and queues does not count. Its client id must stay the same and be unique over there.
    /// </value>
    public MqttClientOptions? Remote { get; set; }

    /// <value>What leads to the other broker instead. Topics go out only, with three degrees of urgency: a priority above, at and below 0.</value>
    public IBridgeCarrier? Carrier { get; set; }

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
    public int InFlightMax { get; set; } = DialledInFlightMax;

    /// <summary>All that is wrong with it.</summary>
    public IEnumerable<string> Faults
    {
        get
        {
            if (Name.Length is 0 or > 64 || !TopicName.IsValid(Name) || Name.Contains('/', StringComparison.Ordinal)) yield return $"'{Name}' is no name for a bridge";
            if (Remote is not null && Carrier is not null) yield return "a broker to connect to or a carrier, not both";
            if (Remote is { ClientId.Length: 0 }) yield return "a client id is needed";
            if (Topics.Count == 0) yield return "no topics";
            foreach (var topic in Topics)
            {
                if (topic.Fault is { } fault) yield return fault;
                if (Carrier is not null && topic.IsIn) yield return $"'{topic.LocalFilter}': only Out goes to a node; what is to come from there is configured there";
            }

            if (Carrier is not null && InFlightMax > CarriedInFlightMax) yield return $"at most {CarriedInFlightMax} messages in flight to a node";
            if (QueuedMessagesMax < 1 || QueuedBytesMax < 1 || InFlightMax < 1 || MessageAgeMax < TimeSpan.Zero) yield return "a bound is below 1";
        }
    }
}
