namespace EdgeFirmware.Platform.Resources;

/// <param name="Load">Share of <paramref name="Cores"/> in use, 0-1.</param>
/// <param name="Pressure">0-1.</param>
internal readonly record struct CpuReading(double Cores, double Load, double Pressure);

internal readonly record struct MemoryReading(long Bytes, long FreeBytes, double Pressure);
