namespace EdgeFirmware.Platform.Resources;

/// <summary>Memory figures of the whole machine.</summary>
internal sealed class MachineMemory(string root) : IDisposable
{
    private readonly KernelFile _meminfo = new($"{root}/proc/meminfo");
    private readonly KernelFile _pressure = new($"{root}/proc/pressure/memory");

    public MemoryReading Read(byte[] buffer)
    {
        var meminfo = _meminfo.Read(buffer);
        var total = Math.Max(0, KernelText.Keyed(meminfo, "MemTotal:"u8)) * 1024;
        var available = KernelText.Keyed(meminfo, "MemAvailable:"u8);
        if (available < 0)
            available = Math.Max(0, KernelText.Keyed(meminfo, "MemFree:"u8));
        return new MemoryReading(total, available * 1024, KernelText.Pressure(_pressure.Read(buffer)));
    }

    public void Dispose()
    {
        _meminfo.Dispose();
        _pressure.Dispose();
    }
}
