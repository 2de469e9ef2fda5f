namespace EdgeFirmware.Mqtt.Packets;

/// <summary>A PUBLISH about to be written: the shared message and what differs from one receiver to the next.</summary>
internal readonly struct OutgoingPublish
{
    public required MqttMessage Message { get; init; }

    public QoS QoS { get; init; }

    public bool Retain { get; init; }

    public bool Duplicate { get; init; }

    public ushort PacketId { get; init; }

    /// <summary>What the journal knows this delivery by, also after a restart; 0: nothing is kept of it.</summary>
    public long Number { get; init; }

    /// <summary>What is left of the message's life in seconds.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>Identifiers of all the receiver's subscriptions that matched; null for none.</summary>
    public uint[]? SubscriptionIds { get; init; }

    /// <summary>0: no alias.</summary>
    public ushort TopicAlias { get; init; }

    /// <summary>The receiver knows the alias already, so the topic is left out.</summary>
    public bool OmitTopic { get; init; }
}
