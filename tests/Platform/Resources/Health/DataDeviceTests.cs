using EdgeFirmware.Platform.Resources.Health;

namespace EdgeFirmware.Platform.Tests.Resources.Health;

public sealed class DataDeviceTests : IDisposable
{
    private const string Card = "/sys/devices/platform/mmc/mmc_host/mmc0/mmc0:aaaa/block/mmcblk0";

    private readonly FakeRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("/var/lib/edge", "179:2")]
    [InlineData("/", "179:2")]
    [InlineData("/mnt/usb/edge", "8:1")]
    [InlineData("/mnt/usb", "8:1")]
    [InlineData("/mnt/usbs", "179:2")]
    [InlineData("/mnt/my disk", "8:2")]
    public void A_path_is_on_the_mount_with_the_longest_point(string path, string device)
    {
        var mountinfo = """
            27 1 179:2 / / rw,noatime - ext4 /dev/root rw
            28 27 8:1 / /mnt/usb rw,noatime shared:3 - ext4 /dev/sda1 rw
            29 27 8:2 / /mnt/my\040disk rw - ext4 /dev/sda2 rw
            """;
        var mount = Mount.Holding(mountinfo, path)!;
        Assert.Equal(device, mount.Device);
        Assert.False(mount.ReadOnly);
    }

    [Theory]
    [InlineData("rw,noatime", "rw", false)]
    [InlineData("ro,noatime", "rw", true)]
    [InlineData("rw", "ro,errors=remount-ro", true)]
    [InlineData("rw,relatime", "rw,errors=remount-ro", false)]
    [InlineData("rw,relatime", "rw,errors=remount-ro,emergency_ro", true)]
    public void A_mount_or_its_filesystem_can_be_read_only(string options, string superOptions, bool readOnly) =>
        Assert.Equal(readOnly, Mount.Holding($"27 1 179:2 / / {options} - ext4 /dev/root {superOptions}\n", "/x")!.ReadOnly);

    [Fact]
    public void Of_two_mounts_at_one_place_the_later_counts() =>
        Assert.Equal("8:1", Mount.Holding("1 1 179:2 / /data rw - ext4 a rw\n2 1 8:1 / /data rw - ext4 b rw\n", "/data/x")!.Device);

    [Fact]
    public void A_partition_is_on_its_disk()
    {
        OneCard();
        _root["/proc/self/mountinfo"] = "27 1 179:2 / / rw - ext4 /dev/root rw\n";
        Assert.Equal(new DataDevice("mmcblk0p2", _root.Path + Card, false), Find("/var/lib/edge"));
    }

    [Fact]
    public void A_link_is_followed_to_the_disk_that_holds_the_data()
    {
        OneCard();
        _root["/sys/devices/usb/host0/block/sda/stat"] = "";
        Link("/sys/dev/block/8:0", "/sys/devices/usb/host0/block/sda");
        _root["/mnt/usb/edge/lock"] = "";
        _root["/var/lib/x"] = "";
        File.CreateSymbolicLink($"{_root.Path}/var/lib/edge", "../../mnt/usb/edge");
        _root["/proc/self/mountinfo"] = "27 1 179:2 / / rw - ext4 /dev/root rw\n28 27 8:0 / /mnt/usb ro - ext4 /dev/sda ro\n";
        Assert.Equal(new DataDevice("sda", $"{_root.Path}/sys/devices/usb/host0/block/sda", true), Find("/var/lib/edge/mqtt"));
    }

    [Fact]
    public void An_overlay_is_on_what_its_upper_directory_is_on()
    {
        OneCard();
        _root["/proc/self/mountinfo"] = """
            20 1 179:2 / /media/rw rw - ext4 /dev/mmcblk0p2 rw
            27 1 0:25 / / rw - overlay overlay rw,lowerdir=/media/ro,upperdir=/media/rw/up,workdir=/media/rw/work
            """;
        Assert.Equal("mmcblk0p2", Find("/var/lib/edge").Name);
    }

    [Fact]
    public void An_overlay_whose_upper_directory_is_elsewhere_is_on_nothing_known()
    {
        _root["/proc/self/mountinfo"] = "27 1 0:25 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/overlay2/x/diff,workdir=/w\n";
        Assert.Equal(DataDevice.None, Find("/var/lib/edge"));
    }

    [Fact]
    public void Btrfs_names_its_device_and_a_mapper_what_it_is_made_of()
    {
        OneCard();
        _root["/sys/devices/virtual/block/dm-0/stat"] = "";
        Link("/sys/class/block/dm-0", "/sys/devices/virtual/block/dm-0");
        Link("/sys/devices/virtual/block/dm-0/slaves/mmcblk0p2", $"{Card}/mmcblk0p2");
        _root["/dev/dm-0"] = "";
        Link("/dev/mapper/data", "/dev/dm-0");
        _root["/proc/self/mountinfo"] = "27 1 0:33 /@ / rw - btrfs /dev/mapper/data rw,subvol=/@\n";
        Assert.Equal(new DataDevice("dm-0", _root.Path + Card, false), Find("/var/lib/edge"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("garbage\n - \n1 2 3 - \n")]
    [InlineData("27 1 0:25 / / rw - tmpfs tmpfs rw\n")]
    [InlineData("27 1 9:9 / / rw - ext4 /dev/x rw\n")]
    public void What_is_on_no_known_device_is_on_none(string mountinfo)
    {
        _root["/proc/self/mountinfo"] = mountinfo;
        Assert.Equal(DataDevice.None, Find("/var/lib/edge"));
    }

    [Fact]
    public void This_machines_data_is_on_a_disk_of_its_own_or_on_none()
    {
        var device = DataDevice.Find("", Path.GetTempPath());
        Assert.Equal(device.Name.Length == 0, device.Disk.Length == 0);
        if (device.Disk.Length > 0)
            Assert.True(File.Exists($"{device.Disk}/stat"), device.Disk);
    }

    private void OneCard()
    {
        _root[$"{Card}/stat"] = "";
        _root[$"{Card}/mmcblk0p2/partition"] = "2\n";
        Link("/sys/dev/block/179:2", $"{Card}/mmcblk0p2");
    }

    private void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.Path + path)!);
        File.CreateSymbolicLink(_root.Path + path, _root.Path + target);
    }

    private DataDevice Find(string directory) => DataDevice.Find(_root.Path, directory);
}
