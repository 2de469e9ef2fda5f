using System.Text;
using EdgeFirmware.Platform.Resources;
using EdgeFirmware.Platform.Resources.Health;

namespace EdgeFirmware.Platform.Tests.Resources.Health;

public sealed class StorageTextTests
{
    private const string Stat = "  323209    29658 29909970   453688  8371849   304805 83987984   534274        0   514028  1254913\n";

    [Theory]
    [InlineData("0x01 0x01\n", 0)]
    [InlineData("0x02 0x05\n", 0.4)]
    [InlineData("0x0a 0x00\n", 0.9)]
    [InlineData("0x0B 0x01\n", 1)]
    [InlineData("0x00 0x00\n", -1)]
    [InlineData("0x63 0x01\n", -1)]
    [InlineData("0x03\n", 0.2)]
    [InlineData("", -1)]
    [InlineData("no life\n", -1)]
    public void A_cards_life_is_the_worse_of_its_types(string text, double used) =>
        Assert.Equal(used, StorageText.LifeTime(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("0x00\n", -1)]
    [InlineData("0x01\n", 0)]
    [InlineData("02\n", 0.8)]
    [InlineData("0x03\n", 0.9)]
    [InlineData("0x04\n", -1)]
    [InlineData("", -1)]
    public void The_reserve_of_a_card_bounds_its_life(string text, double used) =>
        Assert.Equal(used, StorageText.PreEndOfLife(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("0x0\n", 0)]
    [InlineData("0x1f\n", 31)]
    [InlineData("50005\n", 0x50005)]
    [InlineData("zz\n", -1)]
    [InlineData("0x\n", -1)]
    [InlineData("", -1)]
    public void Hexadecimal_is_read_with_and_without_its_prefix(string text, long value) =>
        Assert.Equal(value, StorageText.Hex(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Writes_are_counted_in_requests_sectors_and_milliseconds()
    {
        Assert.Equal(new WriteCounts(8371849, 83987984, 534274), StorageText.Stat(Encoding.UTF8.GetBytes(Stat)));
        Assert.Null(StorageText.Stat("1 2 3 4 5 6 7\n"u8));
        Assert.Null(StorageText.Stat("1 2 3 4 -5 6 7 8\n"u8));
        Assert.Null(StorageText.Stat(default));
    }

    [Fact]
    public void A_hosts_errors_are_summed_without_those_of_tuning()
    {
        const string text = "# Command Timeout Occurred:\t 1\n# Command CRC Errors Occurred:\t 0\n# Data CRC Errors Occurred:\t 2\n# Tuning Error Occurred:\t 9\n";
        Assert.Equal(3, StorageText.HostErrors(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(0, StorageText.HostErrors("# Data Timeout Occurred:\t 0\n"u8));
        Assert.Equal(KernelText.Absent, StorageText.HostErrors("Not supported by driver\n"u8));
        Assert.Equal(KernelText.Absent, StorageText.HostErrors(default));
    }
}
