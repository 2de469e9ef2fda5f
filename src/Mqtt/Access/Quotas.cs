namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// What a user, or all users of a tenant together, may use of a broker. Null: no bound besides <see cref="Broker.BrokerLimits"/>, which always
/// holds as well.
/// </summary>
public sealed record Quotas
{
    public static readonly Quotas None = new();

    /// <value>Open connections.</value>
    public int? ConnectionsMax { get; init; }

    /// <value>Subscriptions of all sessions.</value>
    public int? SubscriptionsMax { get; init; }

    /// <value>Unacknowledged QoS 1 and 2 messages to each client.</value>
    public int? InFlightMax { get; init; }

    /// <value>Messages that wait in all sessions, besides those in flight.</value>
    public int? QueuedMessagesMax { get; init; }

    /// <value>Their size.</value>
    public long? QueuedBytesMax { get; init; }

    /// <value>
    /// PUBLISH packets a second from all clients. Who sends more is not read from until the rate is kept; a second's worth may come at once.
    /// </value>
    public double? MessagesPerSecond { get; init; }

    /// <value>One packet from a client; holds for connections made after a change.</value>
    public int? PacketBytesMax { get; init; }

    /// <value>Retained messages that the user published last; those of before a restart are nobody's.</value>
    public int? RetainedMessagesMax { get; init; }

    /// <value>Their size.</value>
    public long? RetainedBytesMax { get; init; }

    internal bool IsNone => this == None;

    /// <summary>Every bound that is not positive, by name.</summary>
    public IEnumerable<string> Faults()
    {
        (string Name, double? Value)[] all =
        [
            (nameof(ConnectionsMax), ConnectionsMax), (nameof(SubscriptionsMax), SubscriptionsMax), (nameof(InFlightMax), InFlightMax),
            (nameof(QueuedMessagesMax), QueuedMessagesMax), (nameof(QueuedBytesMax), QueuedBytesMax), (nameof(MessagesPerSecond), MessagesPerSecond),
            (nameof(PacketBytesMax), PacketBytesMax), (nameof(RetainedMessagesMax), RetainedMessagesMax), (nameof(RetainedBytesMax), RetainedBytesMax),
        ];
        foreach (var (name, value) in all)
        {
            if (value is <= 0 or double.NaN or double.PositiveInfinity) yield return $"{name}: a positive number is needed";
        }
    }
}
