using System.Text;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Platform.Resources.Sensing;

/// <summary>Which buses and sensors this machine has, in words that make labels: first the classes, then the sensors that have a name.</summary>
/// <param name="root">What stands for <c>/</c>, without a slash at its end.</param>
internal sealed class SensorSearch(string root)
{
    /// <summary>Parts of names by which a board measures itself: no reason to place anything there.</summary>
    private static readonly string[] OfTheBoard = ["_thermal", "rpi_volt", "rp1_adc", "acpitz", "nvme", "coretemp", "k10temp", "pwmfan"];

    /// <summary>Parts of names of video devices that see nothing: codecs and image processors (drivers/media of the Raspberry Pi's kernel).</summary>
    private static readonly string[] WithoutLens = ["codec", "isp", "hevc", "rpivid", "decode", "encode", "-dec", "-enc"];

    public List<string> Read()
    {
        var classes = new List<string>();
        var names = new List<string>();
        Add("gpio", TextFile.Any($"{root}/dev", "gpiochip*"));
        Add("i2c", TextFile.Any($"{root}/dev", "i2c-*"));
        Add("spi", TextFile.Any($"{root}/dev", "spidev*"));
        Add("ble", TextFile.Any($"{root}/sys/class/bluetooth", "hci*"));
        Add("camera", HasCamera());
        Add("w1", HasOneWire());
        // Documentation/ABI/testing/sysfs-bus-iio; triggers are in the same directory.
        Add("iio", Named("iio", $"{root}/sys/bus/iio/devices", "iio:device*"));
        // Documentation/hwmon/sysfs-interface.rst
        Add("hwmon", Named("hwmon", $"{root}/sys/class/hwmon", "hwmon*"));
        classes.AddRange(names);
        return classes;

        void Add(string label, bool isThere)
        {
            if (isThere)
                classes.Add(label);
        }

        bool Named(string kind, string directory, string pattern)
        {
            var any = false;
            foreach (var device in TextFile.Entries(directory, pattern))
            {
                var name = TextFile.Read($"{directory}/{device}/name");
                if (Contains(OfTheBoard, name))
                    continue;
                any = true;
                if (name.Length > 0 && Label($"{kind}={name}") is var label && !names.Contains(label))
                    names.Add(label);
            }
            return any;
        }
    }

    /// <summary>What a label may hold; the rest becomes a hyphen.</summary>
    internal static string Label(string text)
    {
        var label = new StringBuilder(Offer.NameLengthMax);
        foreach (var c in text.ToLowerInvariant())
            if (label.Length < Offer.NameLengthMax)
                label.Append(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '=' ? c : '-');
        return label.ToString();
    }

    /// <summary>Where the video devices' names cannot be read, any counts.</summary>
    private bool HasCamera()
    {
        foreach (var device in TextFile.Entries($"{root}/dev", "video*"))
            if (!Contains(WithoutLens, TextFile.Read($"{root}/sys/class/video4linux/{device}/name")))
                return true;
        return false;
    }

    /// <summary>A bus without anything on it has only its master (Documentation/w1/w1-generic.rst).</summary>
    private bool HasOneWire()
    {
        foreach (var device in TextFile.Entries($"{root}/sys/bus/w1/devices"))
            if (!device.StartsWith("w1_bus_master", StringComparison.Ordinal))
                return true;
        return false;
    }

    private static bool Contains(string[] parts, string name)
    {
        foreach (var part in parts)
            if (name.Contains(part, StringComparison.OrdinalIgnoreCase))
                return true;
        return false;
    }
}
