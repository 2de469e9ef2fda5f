using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>A message from the broker, with what only the receiver is concerned with.</summary>
public sealed class ReceivedMessage
{
    private readonly MqttClient _client;

    internal ReceivedMessage(MqttClient client, MqttMessage message, bool duplicate, IReadOnlyList<uint> subscriptionIds)
    {
        _client = client;
        Message = message;
        Duplicate = duplicate;
        SubscriptionIds = subscriptionIds;
    }

    public MqttMessage Message { get; }

    /// <summary>The broker may have sent it before.</summary>
    public bool Duplicate { get; }

    /// <summary>Identifiers of the subscriptions that matched.</summary>
    public IReadOnlyList<uint> SubscriptionIds { get; }

    /// <summary>0 for QoS 0.</summary>
    public ushort PacketId => Pending?.PacketId ?? 0;

    /// <summary>Null for QoS 0.</summary>
    internal InboundMessage? Pending { get; init; }

    /// <summary>
    /// Acknowledges it; the first call counts and QoS 0 needs none. Acknowledgements go out in the order the messages came. After a
    /// reconnect this does nothing for QoS 1: the broker sends the message again.
    /// </summary>
    public void Acknowledge(ReasonCode reason = ReasonCode.Success)
    {
        if (Pending is { } pending) _client.Acknowledge(pending, reason);
    }
}
