namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Where and how much a broker keeps across restarts.</summary>
public sealed class DurabilityOptions
{
    /// <summary>Smallest useful <see cref="DiskBytesMax"/>: the log, its spare segment and a snapshot side by side.</summary>
    public const long DiskBytesMin = 8 * Segment.AllocatedBytes;

    /// <value>Made with mode 0700 when it is missing. One broker at a time may use it.</value>
    public required string Directory { get; set; }

    /// <value>
    /// Bytes on disk, at most. What is worth keeping may take a third of it, because a snapshot is written beside what it replaces.
    /// At the bound publishers get <see cref="ReasonCode.QuotaExceeded"/>. At least <see cref="DiskBytesMin"/>.
    /// </value>
    public long DiskBytesMax { get; set; } = 256L << 20;

    /// <value>Bytes of one batch that may wait for the disk; over it clients are not read from until the batch before it is done.</value>
    public long BatchBytesMax { get; set; } = 8L << 20;
}
