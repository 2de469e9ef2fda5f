using System.Globalization;

namespace EdgeFirmware.Platform.Resources.Health;

/// <summary>The machine's thermal zones (Documentation/ABI/testing/sysfs-class-thermal): temperatures and trip points in thousandths of a degree
/// Celsius.</summary>
internal sealed class ThermalZones(string root) : IDisposable
{
    private const int ZonesMax = 32;
    private const int TripPointsMax = 16;

    /// <summary>A sensor that is switched off reads as absolute zero or as thousands of degrees on some boards.</summary>
    private const double LowestCelsius = -60;
    private const double HighestCelsius = 200;

    private readonly List<Zone> _zones = [];
    private string _names = "";

    /// <summary>Drivers may be loaded late. Zones that are there still keep their files.</summary>
    public void Search()
    {
        var names = TextFile.Entries($"{root}/sys/class/thermal", "thermal_zone*");
        var joined = string.Join(' ', names);
        if (joined == _names)
            return;
        _names = joined;
        Dispose();
        foreach (var name in names)
            if (_zones.Count < ZonesMax)
                _zones.Add(new Zone(new KernelFile($"{root}/sys/class/thermal/{name}/temp", HealthProbe.ReadingsToRest), Critical($"{root}/sys/class/thermal/{name}")));
    }

    /// <returns>The hottest zone and where its driver cuts the power.</returns>
    public (double? Celsius, double? CriticalCelsius) Read(byte[] buffer)
    {
        double? hottest = null;
        double? critical = null;
        foreach (var zone in _zones)
            if (KernelText.Signed(zone.Temperature.Read(buffer)) / 1000.0 is >= LowestCelsius and <= HighestCelsius and var celsius && !(celsius <= hottest))
                (hottest, critical) = (celsius, zone.Critical);
        return (hottest, critical);
    }

    public void Dispose()
    {
        foreach (var zone in _zones)
            zone.Temperature.Dispose();
        _zones.Clear();
    }

    private static double? Critical(string zone)
    {
        for (var i = 0; i < TripPointsMax; i++)
            switch (TextFile.Read($"{zone}/trip_point_{i}_type"))
            {
                case "":
                    return null;
                case "critical":
                    return long.TryParse(TextFile.Read($"{zone}/trip_point_{i}_temp"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var milli)
                        && milli is > 0 and <= (long)(HighestCelsius * 1000) ? milli / 1000.0 : null;
            }
        return null;
    }

    private readonly record struct Zone(KernelFile Temperature, double? Critical);
}
