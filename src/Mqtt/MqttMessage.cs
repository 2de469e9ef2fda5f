namespace EdgeFirmware.Mqtt;

/// <summary>
/// An application message, complete enough to be carried to another node and published there unchanged.
/// Immutable; whoever supplies <see cref="Payload"/> must not write to its memory afterwards.
/// </summary>
public sealed record MqttMessage
{
    public required string Topic { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    public QoS QoS { get; init; }

    public bool Retain { get; init; }

    /// <summary>1 when the payload is declared to be UTF-8 text, 0 when declared to be bytes, null when undeclared.</summary>
    public byte? PayloadFormat { get; init; }

    /// <summary>Seconds the message is still worth delivering, counted from when this object was published; null: for ever.</summary>
    public uint? MessageExpirySeconds { get; init; }

    public string? ContentType { get; init; }

    public string? ResponseTopic { get; init; }

    public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>In the order the publisher gave them.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>What the message weighs in a queue: payload, topic and properties in bytes, plus the bookkeeping around them.</summary>
    internal int QueuedBytes
    {
        get
        {
            var bytes = ObjectOverheadBytes + Payload.Length + (2 * Topic.Length) + (CorrelationData?.Length ?? 0)
                + (2 * ((ContentType?.Length ?? 0) + (ResponseTopic?.Length ?? 0)));
            foreach (var property in UserProperties) bytes += 2 * (property.Name.Length + property.Value.Length);
            return bytes;
        }
    }

    /// <summary>The size of this object and a queue entry on a 64-bit runtime, rounded up.</summary>
    private const int ObjectOverheadBytes = 256;
}
