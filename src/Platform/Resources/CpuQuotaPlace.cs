namespace EdgeFirmware.Platform.Resources;

/// <param name="AccountingDirectory">v1: where <c>cpuacct.usage</c> is; empty when nothing counts what the quota bounds.</param>
internal sealed record CpuQuotaPlace(bool IsV2, string Directory, string AccountingDirectory);

internal sealed record MemoryLimitPlace(bool IsV2, string Directory);
