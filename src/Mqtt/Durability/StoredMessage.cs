namespace EdgeFirmware.Mqtt.Durability;

/// <summary>A message on its way to disk or there: written once, however many sessions and the retained store refer to it.</summary>
/// <param name="id">Unique in the journal.</param>
/// <param name="expiresAt">Unix time in milliseconds; 0: never.</param>
internal sealed class StoredMessage(long id, MqttMessage message, long expiresAt)
{
    public long Id => id;

    public MqttMessage Message => message;

    public long ExpiresAt => expiresAt;

    /// <summary>When it expires on a clock that says <paramref name="now"/> at that Unix time; null: never.</summary>
    public TimeSpan? LeftOf(long unixNow, TimeSpan now) => expiresAt == 0 ? null : now + TimeSpan.FromMilliseconds(expiresAt - unixNow);

    /// <summary>Deliveries and retained topics that need it. Under the broker's lock.</summary>
    public int References { get; set; }

    /// <summary>The batch that tells the disk that it is its topic's retained message. Under the broker's lock.</summary>
    public long RetainedBatch { get; set; }

    /// <summary>Another took its place before that batch was taken to be written.</summary>
    public volatile bool RetainedElided;

    /// <summary>It is in a log, so that later records may refer to it. Belongs to the writer.</summary>
    public bool Written { get; set; }

    /// <summary>The last snapshot it went into. Belongs to the writer of that snapshot.</summary>
    public long Snapshot { get; set; }

    public int DiskBytes { get; } = 32 + message.Payload.Length + message.Topic.Length + (message.CorrelationData?.Length ?? 0);
}
