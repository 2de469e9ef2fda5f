namespace EdgeFirmware.Mqtt.Durability;

/// <summary>The durable side of one delivery to one session.</summary>
/// <param name="id">Unique in the journal and rising: the order of a session's deliveries.</param>
internal sealed class StoredDelivery(long id, uint session, StoredMessage stored, QoS qos, bool retain, uint[]? subscriptionIds)
{
    public const int DiskBytes = 40;

    public long Id => id;

    public uint Session => session;

    public StoredMessage Stored => stored;

    public QoS QoS => qos;

    public bool Retain => retain;

    public uint[]? SubscriptionIds => subscriptionIds;

    /// <summary>The batch that tells of it first.</summary>
    public long Batch { get; set; }

    /// <summary>It was settled before that batch was taken to be written: nothing of it need be.</summary>
    public volatile bool Elided;

    /// <summary>0 until it was sent. Only kept up to date by <see cref="Replay"/>.</summary>
    public ushort PacketId { get; set; }

    /// <inheritdoc cref="PacketId"/>
    public bool Released { get; set; }
}
