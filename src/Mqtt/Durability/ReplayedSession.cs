using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>A session as the records left it.</summary>
internal sealed class ReplayedSession(uint id, SessionTermsEntry terms)
{
    public uint Id => id;

    public SessionTermsEntry Terms { get; set; } = terms;

    public LastWill? Will { get; set; } = terms.Will;

    /// <summary>Null: it was connected when the broker ended.</summary>
    public DetachedEntry? Detached { get; set; }

    public Dictionary<string, SubscriptionEntry> Subscriptions { get; } = new(StringComparer.Ordinal);

    public Dictionary<long, StoredDelivery> Deliveries { get; } = [];

    /// <summary>QoS 2 ids from the client; the value says that the message was routed but not acknowledged.</summary>
    public Dictionary<ushort, bool> Inbound { get; } = [];

    /// <summary>Takes up what was on its way in both directions.</summary>
    /// <param name="now">On the clock of the windows.</param>
    /// <param name="settled">Makes who is told of a message's outcome; null for nobody.</param>
    public void RestoreTo(
        Inbound inbound, Outbound outbound, Journal journal, TimeSpan now, Func<OutboundMessage, Action<DeliveryOutcome>>? settled = null)
    {
        foreach (var (packetId, routed) in Inbound) inbound.Restore(packetId, routed);
        foreach (var delivery in Deliveries.Values.OrderBy(delivery => delivery.Id))
        {
            journal.Refer(delivery);
            var message = new OutboundMessage(delivery.Stored.Message, delivery.QoS)
            {
                Retain = delivery.Retain,
                SubscriptionIds = delivery.SubscriptionIds,
                ExpiresAt = delivery.Stored.LeftOf(journal.UnixNow, now),
                Stored = delivery.Stored,
                Delivery = delivery,
            };
            message.Settled = settled?.Invoke(message);
            outbound.Restore(message, delivery.PacketId, delivery.Released);
        }
    }
}
