using System.Runtime.InteropServices;
using EdgeFirmware.Platform.Resources;

namespace EdgeFirmware.Platform.Tests.Resources;

public sealed class MachineProbeTests
{
    [Fact]
    public void A_raspberry_pi_is_recognised()
    {
        using var root = new FakeRoot();
        root["/proc/sys/kernel/osrelease"] = "6.12.25+rpt-rpi-v8\n";
        root["/etc/os-release"] = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n";
        root["/proc/device-tree/model"] = "Raspberry Pi 4 Model B Rev 1.4\0";
        root["/proc/meminfo"] = "MemTotal:         948304 kB\n";
        root["/sys/devices/system/cpu/online"] = "0-3\n";
        var machine = MachineProbe.Describe(root.Path);
        Assert.Equal(
            ("6.12.25+rpt-rpi-v8", "Debian GNU/Linux 12 (bookworm)", "Raspberry Pi 4 Model B Rev 1.4"),
            (machine.KernelVersion, machine.OperatingSystem, machine.Model));
        Assert.Equal((4, 948304L * 1024), (machine.Processors, machine.MemoryBytes));
    }

    [Fact]
    public void What_is_missing_is_unknown()
    {
        using var root = new FakeRoot();
        var machine = MachineProbe.Describe(root.Path);
        Assert.Equal(("unknown", "unknown", "unknown"), (machine.KernelVersion, machine.OperatingSystem, machine.Model));
    }

    [Fact]
    public void This_machine_is_described()
    {
        var machine = MachineProbe.Describe();
        Assert.Contains(machine.Architecture, (string[])["amd64", "arm64", "arm"]);
        Assert.Equal(Environment.SystemPageSize, machine.PageBytes);
        Assert.True(machine.MemoryBytes > 1 << 20);
        Assert.NotEqual("unknown", machine.KernelVersion);
    }

    [Theory]
    [InlineData(Architecture.X64, "amd64")]
    [InlineData(Architecture.Arm64, "arm64")]
    [InlineData(Architecture.Arm, "arm")]
    public void Architectures_have_the_engines_names(Architecture architecture, string expected) =>
        Assert.Equal(expected, MachineProbe.EngineWord(architecture));

    [Theory]
    [InlineData("PRETTY_NAME='Alpine Linux v3.20'\n", "Alpine Linux v3.20")]
    [InlineData("NAME=x\nPRETTY_NAME=Buildroot\n", "Buildroot")]
    [InlineData("PRETTY_NAME=\"\"\n", null)]
    [InlineData("NAME=x\n", null)]
    public void The_systems_name_is_read_as_a_shell_would(string text, string? expected) => Assert.Equal(expected, MachineProbe.PrettyName(text));
}
