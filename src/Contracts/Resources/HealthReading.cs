namespace EdgeFirmware.Contracts.Resources;

/// <summary>Signs that the machine itself may fail. Counters only grow while the firmware runs; a figure the kernel does not give is
/// <c>null</c> or 0 as said.</summary>
/// <param name="Celsius">Hottest thermal zone.</param>
/// <param name="CriticalCelsius">Where that zone's kernel driver cuts the power.</param>
/// <param name="UnderVoltage">The board reports too low a supply now (Raspberry Pi <c>rpi_volt</c> hwmon or firmware flag bit 0).</param>
/// <param name="StorageLifeUsed">Share of the eMMC's rated writes that is used, 0-1, the worse of both types (JEDEC JESD84-B51, EXT_CSD 268-269).</param>
/// <param name="StorageErrors">I/O errors of the device of the data directory since boot, and of its filesystem since it was checked; 0 where nothing
/// counts them.</param>
/// <param name="StorageMilliseconds">Mean time of a write to that device since the last reading; <c>null</c> when there was none.</param>
/// <param name="StorageBytesWritten">Written to that device since boot.</param>
/// <param name="OomKills">Processes that the kernel killed for want of memory, since boot.</param>
/// <param name="ClockSteps">Times the wall clock was set by more than a second since the firmware started.</param>
public readonly record struct HealthReading(
    double? Celsius,
    double? CriticalCelsius,
    bool UnderVoltage,
    double? StorageLifeUsed,
    long StorageErrors,
    double? StorageMilliseconds,
    long StorageBytesWritten,
    long OomKills,
    long ClockSteps)
{
    /// <summary>The filesystem of the data directory takes no writes: the kernel does that after errors (ext4 <c>errors=remount-ro</c>).</summary>
    public bool StorageReadOnly { get; init; }
}
