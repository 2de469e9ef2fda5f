namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>A bridge at one moment. Counters count since the start.</summary>
public sealed record BridgeStatus
{
    public required string Name { get; init; }

    /// <summary>As configured: address and port, or path.</summary>
    public required string Address { get; init; }

    public required bool Connected { get; init; }

    /// <summary>How long the present connection has lasted; null while there is none.</summary>
    public required TimeSpan? ConnectedFor { get; init; }

    /// <summary>The other broker's name where it tells one.</summary>
    public required string? RemoteName { get; init; }

    /// <summary>Why there is no connection, or why the last one ended; null when there was no trouble.</summary>
    public required string? Trouble { get; init; }

    public required long Attempts { get; init; }

    /// <summary>Waiting to be sent and in flight.</summary>
    public required int QueuedMessages { get; init; }

    /// <summary>Of those that wait.</summary>
    public required long QueuedBytes { get; init; }

    /// <summary>Acknowledged by the other broker; for QoS 0 sent.</summary>
    public required long Forwarded { get; init; }

    /// <summary>Taken in from the other broker.</summary>
    public required long Received { get; init; }

    /// <summary>Not forwarded, or not taken in, by cause: queue-full, too-old, expired, too-large, refused, away, loop, unmapped, not-allowed.</summary>
    public required IReadOnlyDictionary<string, long> Dropped { get; init; }
}
