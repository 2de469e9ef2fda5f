namespace EdgeFirmware.Mqtt.Client;

/// <summary>One filter to subscribe to.</summary>
/// <param name="Identifier">Comes back with each message that matched (version 5); null for none.</param>
public sealed record TopicSubscription(string Filter, SubscriptionOptions Options, uint? Identifier = null)
{
    public TopicSubscription(string filter, QoS maximumQoS)
        : this(filter, new SubscriptionOptions(maximumQoS))
    {
    }
}
