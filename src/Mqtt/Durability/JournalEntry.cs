using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>What a record says. The numbers are the file format: they are never used for anything else.</summary>
internal enum EntryKind : byte
{
    None = 0,
    SessionOpened = 1,
    SessionClosed = 2,
    Detached = 3,
    Subscribed = 4,
    Unsubscribed = 5,
    Message = 6,
    Queued = 7,
    Sent = 8,
    Released = 9,
    Settled = 10,

    /// <summary>A QoS 2 message was routed, but the tap still keeps its PUBREC back.</summary>
    InboundRouted = 11,
    InboundTaken = 12,
    InboundReleased = 13,
    Retained = 14,
    RetainedCleared = 15,
    WillCleared = 16,

    /// <summary>The last record of a whole snapshot.</summary>
    End = 17,

    /// <summary>A <see cref="HostQueue"/> is there; its messages are Queued and Settled like a session's.</summary>
    QueueOpened = 18,
}

/// <summary>One change waiting to be written. It is encoded by the writer, so that nobody pays for that under the broker's lock.</summary>
internal readonly record struct JournalEntry(EntryKind Kind, uint Session, ushort PacketId, object? Subject);

internal sealed record SessionTermsEntry(string ClientId, string User, ProtocolVersion Version, uint ExpirySeconds, LastWill? Will);

/// <param name="At">Unix time in milliseconds.</param>
internal sealed record DetachedEntry(long At, uint ExpirySeconds);

internal sealed record SubscriptionEntry(string Text, SubscriptionOptions Options, uint[]? Ids);

/// <param name="LastId">The highest id in use when this was said: a snapshot shows only those that live.</param>
internal sealed record QueueEntry(string Name, Guid Stream, long LastId);
