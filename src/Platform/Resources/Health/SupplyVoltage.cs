namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>Whether a Raspberry Pi's supply is too low now. Its hwmon driver <c>rpi_volt</c> asks the firmware every 2 s and keeps the answer
/// (drivers/hwmon/raspberrypi-hwmon.c); older kernels have bit 0 of <c>get_throttled</c>, which newer ones warn about when it is read, so the
/// driver goes first.</summary>
internal sealed class SupplyVoltage(string root) : IDisposable
{
    private KernelFile? _file;
    private string _path = "";
    private bool _isFlags;

    public void Search()
    {
        var path = Alarm();
        _isFlags = path.Length == 0;
        if (_isFlags)
            path = $"{root}/sys/devices/platform/soc/soc:firmware/get_throttled";
        if (path == _path)
            return;
        Dispose();
        _path = path;
        _file = new KernelFile(path, HealthProbe.ReadingsToRest);
    }

    public bool IsLow(byte[] buffer)
    {
        if (_file is null)
            return false;
        var text = _file.Read(buffer);
        return _isFlags ? StorageText.Hex(text) is > 0 and var flags && (flags & 1) != 0 : KernelText.Number(text) == 1;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private string Alarm()
    {
        foreach (var name in TextFile.Entries($"{root}/sys/class/hwmon", "hwmon*"))
            if (TextFile.Read($"{root}/sys/class/hwmon/{name}/name") == "rpi_volt")
                return $"{root}/sys/class/hwmon/{name}/in0_lcrit_alarm";
        return "";
    }
}
