using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>One message on its way to one client, from the queue to the last acknowledgement.</summary>
internal sealed class OutboundMessage(MqttMessage message, QoS qos)
{
    public MqttMessage Message => message;

    public QoS QoS => qos;

    public bool Retain { get; init; }

    public uint[]? SubscriptionIds { get; init; }

    /// <summary>Broker time after which it must not be sent for the first time; null: never.</summary>
    public TimeSpan? ExpiresAt { get; init; }

    /// <summary>The group this session was picked from; null for a message that is its own.</summary>
    public SharedGroup? Group { get; init; }

    public Action<DeliveryOutcome>? Settled { get; set; }

    /// <summary>Whoever sent it keeps it until it is told of the outcome, so the journal need not.</summary>
    public bool KeptBySender { get; init; }

    /// <summary>The message as the journal knows it; null when nothing durable concerns it yet.</summary>
    public StoredMessage? Stored { get; set; }

    /// <summary>Set while the journal has to be told what becomes of this delivery.</summary>
    public StoredDelivery? Delivery { get; set; }

    /// <summary>Since when it waits to be sent, in the clock of its session.</summary>
    public TimeSpan WaitingSince { get; set; }

    /// <summary>It was taken out of the middle of its queue.</summary>
    public bool IsDropped { get; set; }

    /// <summary>0 until the message is in flight.</summary>
    public ushort PacketId { get; set; }

    /// <summary>Order of first sending, from PUBREC on of the PUBRELs; redelivery repeats it [MQTT-4.6.0-1, MQTT-4.6.0-4].</summary>
    public long Sequence { get; set; }

    /// <summary>PUBREC arrived: from here on PUBREL is repeated, not PUBLISH.</summary>
    public bool Released { get; set; }

    /// <summary>Sent on the present connection, so it counts against the client's receive maximum.</summary>
    public bool OnWire { get; set; }

    /// <summary>Counted in <see cref="BrokerCounters.KeptBytes"/>.</summary>
    public bool IsKept { get; set; }

    /// <summary>What the receiver answered in its last acknowledgement, or why it was dropped where there is a word for it.</summary>
    public ReasonCode Reason { get; set; }

    public bool IsExpired(TimeSpan now) => ExpiresAt is { } end && end <= now;

    /// <summary>Whole seconds left, at least one while it lives and none when it is repeated later than that [MQTT-3.3.2-6].</summary>
    public uint? SecondsLeft(TimeSpan now) => ExpiresAt is { } end ? (uint)Math.Max(0, Math.Ceiling((end - now).TotalSeconds)) : null;
}
