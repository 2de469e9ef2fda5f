namespace EdgeFirmware.Platform.Resources;

/// <summary>Processor figures of the whole machine; load is since the reading before.</summary>
internal sealed class MachineCpu(string root) : IDisposable
{
    private readonly KernelFile _stat = new($"{root}/proc/stat");
    private readonly KernelFile _pressure = new($"{root}/proc/pressure/cpu");
    private readonly KernelFile _online = new($"{root}/sys/devices/system/cpu/online");
    private CpuTicks? _last;
    private double _load;

    public CpuReading Read(byte[] buffer)
    {
        var listed = KernelText.ListedCount(_online.Read(buffer));
        var cores = listed > 0 ? listed : Environment.ProcessorCount;
        if (KernelText.Stat(_stat.Read(buffer)) is { } now)
        {
            // Two readings within one tick: nothing new. Idle time may run backwards (proc(5)): neither.
            if (_last is { } last && now.Total > last.Total)
                _load = Math.Clamp((double)(now.Busy - last.Busy) / (now.Total - last.Total), 0, 1);
            _last = now;
        }
        return new CpuReading(cores, _load, KernelText.Pressure(_pressure.Read(buffer)));
    }

    public void Dispose()
    {
        _stat.Dispose();
        _pressure.Dispose();
        _online.Dispose();
    }
}
