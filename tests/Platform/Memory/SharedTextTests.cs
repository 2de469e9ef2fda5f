using EdgeFirmware.Platform.Memory;

namespace EdgeFirmware.Platform.Tests.Memory;

public sealed class SharedTextTests
{
    private const string Smaps = """
        55d0c0000000-55d0c0100000 r--p 00000000 fe:00 1234                       /usr/bin/edge-firmware
        Size:               1024 kB
        Rss:                 900 kB
        Anonymous:             0 kB
        VmFlags: rd mr mw me dw
        55d0c0100000-55d0c0700000 r-xp 00100000 fe:00 1234                       /usr/bin/edge-firmware
        Size:               6144 kB
        Anonymous:             0 kB
        55d0c0700000-55d0c0800000 r--p 00700000 fe:00 1234                       /usr/bin/edge-firmware
        Size:               1024 kB
        Anonymous:           988 kB
        55d0c0800000-55d0c0900000 rw-p 00800000 fe:00 1234                       /usr/bin/edge-firmware
        Anonymous:             0 kB
        7ffe0b1c0000-7ffe0b1c2000 r-xp 00000000 00:00 0                          [vdso]
        Anonymous:             0 kB
        7f0000000000-7f0000021000 r--p 00000000 00:00 0
        Anonymous:             0 kB
        """;

    [Fact]
    public void Only_read_only_mappings_of_files_without_private_pages_are_found()
    {
        var found = SharedText.Find(Smaps);

        Assert.Equal([new TextMapping(0x55d0c0000000, 0x100000), new TextMapping(0x55d0c0100000, 0x600000)], found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("55d0c0000000-55d0c0100000 r-xp 00000000 fe:00 1234 /usr/bin/x\nSize: 4 kB\n")]
    [InlineData("zzz-yyy r-xp 0 /x\nAnonymous: 0 kB")]
    [InlineData("10-20 r\nAnonymous: 0 kB")]
    public void A_mapping_without_its_figure_or_a_line_that_is_none_is_left_alone(string smaps) => Assert.Empty(SharedText.Find(smaps));
}
