using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Platform.Resources.Sensing;

namespace EdgeFirmware.Platform.Tests.Resources.Sensing;

public sealed class SurroundingsTests : IDisposable
{
    private const string NoRoutes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    private readonly FakeRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Default_routes_are_found_in_both_tables()
    {
        const string ipv4 = NoRoutes
            + "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
            + "eth1\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
            + "eth2\t00000000\t010200C0\t0200\t0\t0\t0\t00000000\t0\t0\t0\n"
            + "garbage\n";
        const string ipv6 = """
            fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000002 00000000 00000001     eth1
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd000000000000000000000000000001 00000400 00000003 00000000 00000003  lowpan0
            00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo
            """;
        Assert.Equal(["eth0", "lowpan0"], RouteText.DefaultLinks(ipv4, ipv6));
        Assert.Empty(RouteText.DefaultLinks("", ""));
    }

    public static TheoryData<string, int, string, string, string, bool, LinkKinds> Interfaces => new()
    {
        { "eth0", 1, "up", "0x1003", "device", false, LinkKinds.Wired },
        { "eth0", 1, "up", "0x1003", "device", true, LinkKinds.Wired | LinkKinds.Wan },
        { "eth0", 1, "down", "0x1003", "device", true, LinkKinds.None },
        { "eth0", 1, "unknown", "0x1002", "device", false, LinkKinds.None },
        { "docker0", 1, "up", "0x1003", "DEVTYPE=bridge", false, LinkKinds.None },
        { "br0", 1, "up", "0x1003", "DEVTYPE=bridge", true, LinkKinds.Wired | LinkKinds.Wan },
        { "wlan0", 1, "up", "0x1003", "DEVTYPE=wlan", false, LinkKinds.Wireless },
        { "wlan0", 1, "up", "0x1003", "wireless", true, LinkKinds.Wireless | LinkKinds.Wan },
        { "wwan0", 1, "unknown", "0x1003", "DEVTYPE=wwan", false, LinkKinds.Wan },
        { "ppp0", 512, "unknown", "0x10d1", "", false, LinkKinds.Wan },
        { "rmnet0", 519, "unknown", "0x41", "", true, LinkKinds.Wan },
        { "wpan0", 804, "unknown", "0x83", "device", false, LinkKinds.None },
        { "lowpan0", 825, "unknown", "0x1083", "", false, LinkKinds.LowPan },
        { "bt0", 825, "unknown", "0x1083", "DEVTYPE=bluetooth", false, LinkKinds.Bluetooth },
        { "bnep0", 1, "up", "0x1003", "DEVTYPE=bluetooth", false, LinkKinds.Bluetooth },
        { "tun0", 65534, "unknown", "0x10d1", "", false, LinkKinds.None },
        { "lo", 772, "unknown", "0x9", "", false, LinkKinds.None },
        { "odd0", 1, "up", "nonsense", "device", false, LinkKinds.None },
    };

    [Theory]
    [MemberData(nameof(Interfaces))]
    public void The_kinds_of_links_are_those_that_are_up(string name, int type, string state, string flags, string mark, bool isDefault, LinkKinds kinds)
    {
        var link = $"/sys/class/net/{name}";
        _root[$"{link}/type"] = $"{type}\n";
        _root[$"{link}/operstate"] = $"{state}\n";
        _root[$"{link}/flags"] = $"{flags}\n";
        _root[$"{link}/uevent"] = $"{(mark.StartsWith("DEVTYPE", StringComparison.Ordinal) ? $"{mark}\n" : "")}INTERFACE={name}\nIFINDEX=2\n";
        if (mark is "device" or "wireless")
            _root[$"{link}/{mark}/x"] = "";
        if (isDefault)
            _root["/proc/net/route"] = NoRoutes + $"{name}\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
        Assert.Equal(kinds, new LinkSearch(_root.Path).Read());
    }

    [Fact]
    public void Buses_and_sensors_make_labels()
    {
        foreach (var device in (string[])["gpiochip0", "gpiochip1", "i2c-1", "spidev0.0", "video0", "video10"])
            _root[$"/dev/{device}"] = "";
        _root["/sys/class/video4linux/video0/name"] = "unicam-image\n";
        _root["/sys/class/video4linux/video10/name"] = "bcm2835-codec-decode\n";
        _root["/sys/class/bluetooth/hci0/type"] = "primary\n";
        _root["/sys/bus/w1/devices/w1_bus_master1/name"] = "w1_bus_master1\n";
        _root["/sys/bus/w1/devices/28-0316a2f5aaff/name"] = "28-0316a2f5aaff\n";
        _root["/sys/bus/iio/devices/iio:device0/name"] = "bmp280\n";
        _root["/sys/bus/iio/devices/iio:device1/name"] = "bmp280\n";
        _root["/sys/bus/iio/devices/trigger0/name"] = "sysfstrig0\n";
        _root["/sys/class/hwmon/hwmon0/name"] = "cpu_thermal\n";
        _root["/sys/class/hwmon/hwmon1/name"] = "rpi_volt\n";
        _root["/sys/class/hwmon/hwmon2/name"] = "LM75 (outside, north side)\n";
        Assert.Equal(
            ["gpio", "i2c", "spi", "ble", "camera", "w1", "iio", "hwmon", "iio=bmp280", "hwmon=lm75--outside--nor"], new SensorSearch(_root.Path).Read());
    }

    [Fact]
    public void What_a_board_measures_itself_by_and_codecs_are_no_sensors()
    {
        _root["/dev/video10"] = "";
        _root["/sys/class/video4linux/video10/name"] = "bcm2835-isp\n";
        _root["/sys/bus/w1/devices/w1_bus_master1/name"] = "w1_bus_master1\n";
        _root["/sys/class/hwmon/hwmon0/name"] = "cpu_thermal\n";
        Assert.Empty(new SensorSearch(_root.Path).Read());
    }
}
