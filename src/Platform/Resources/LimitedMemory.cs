namespace EdgeFirmware.Platform.Resources;

/// <summary>Memory figures of a cgroup with a limit. File pages that nobody touched for a while count as free: the kernel drops them first.</summary>
internal sealed class LimitedMemory(MemoryLimitPlace place) : IDisposable
{
    private readonly KernelFile _limit = new(place.Directory + (place.IsV2 ? "/memory.max" : "/memory.limit_in_bytes"));
    private readonly KernelFile _usage = new(place.Directory + (place.IsV2 ? "/memory.current" : "/memory.usage_in_bytes"));
    private readonly KernelFile _stat = new(place.Directory + "/memory.stat");
    private readonly KernelFile? _pressure = place.IsV2 ? new(place.Directory + "/memory.pressure") : null;

    public MemoryLimitPlace Place => place;

    /// <returns><c>null</c> when the limit or the cgroup is gone.</returns>
    public MemoryReading? Read(MemoryReading machine, byte[] buffer)
    {
        var limit = KernelText.Number(_limit.Read(buffer));
        var usage = KernelText.Number(_usage.Read(buffer));
        if (limit <= 0 || usage < 0 || limit >= machine.Bytes)
            return null;
        var stat = _stat.Read(buffer);
        var inactive = Math.Max(0, place.IsV2 ? KernelText.Keyed(stat, "inactive_file"u8) : KernelText.Keyed(stat, "total_inactive_file"u8));
        var free = Math.Clamp(limit - Math.Max(0, usage - inactive), 0, limit);
        var pressure = _pressure is null ? machine.Pressure : KernelText.Pressure(_pressure.Read(buffer));
        // A limit is a right, not a reserve: what the machine has left bounds it too.
        return new MemoryReading(limit, Math.Min(free, machine.FreeBytes), pressure);
    }

    public void Dispose()
    {
        _limit.Dispose();
        _usage.Dispose();
        _stat.Dispose();
        _pressure?.Dispose();
    }
}
