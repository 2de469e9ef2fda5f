using System.Text;
using EdgeFirmware.Platform.Resources;

namespace EdgeFirmware.Platform.Tests.Resources;

public sealed class KernelTextTests
{
    [Theory]
    [InlineData("100000\n", 100000)]
    [InlineData("0\n", 0)]
    [InlineData("9223372036854771712\n", 9223372036854771712)]
    [InlineData("-1\n", KernelText.Absent)]
    [InlineData("max\n", KernelText.Absent)]
    [InlineData("18446744073709551615\n", KernelText.Absent)]
    [InlineData("", KernelText.Absent)]
    [InlineData("\0\0", KernelText.Absent)]
    public void A_single_number(string text, long expected) => Assert.Equal(expected, KernelText.Number(Bytes(text)));

    [Theory]
    [InlineData("MemTotal:         948304 kB\nMemFree:  1 kB\n", "MemTotal:", 948304)]
    [InlineData("MemTotal:         948304 kB\nMemFree:  1 kB", "MemFree:", 1)]
    // A key that begins or ends like another is another.
    [InlineData("total_inactive_file 7\ninactive_file 5\n", "inactive_file", 5)]
    [InlineData("inactive_file_extra 7\ninactive_file 5\n", "inactive_file", 5)]
    [InlineData("nr_periods 12\nnr_throttled 3\nthrottled_time 9\n", "nr_throttled", 3)]
    [InlineData("nr_periods\n", "nr_periods", KernelText.Absent)]
    [InlineData("nr_periods x\n", "nr_periods", KernelText.Absent)]
    [InlineData("", "nr_periods", KernelText.Absent)]
    public void A_number_after_its_key(string text, string key, long expected) =>
        Assert.Equal(expected, KernelText.Keyed(Bytes(text), Bytes(key)));

    [Theory]
    // Raspberry Pi 4, 6.1.21-v8+; idle and iowait are not busy.
    [InlineData("cpu  10132153 290696 3084719 46828483 16683 0 25195 0 175628 0\ncpu0 1393280 32966 572056 13343292 6130\n", 13532763, 60377929)]
    // A virtual machine with stolen time.
    [InlineData("cpu  114850 0 19998 424200 3022 0 244 46 0 0\n", 135138, 562360)]
    // Linux 2.4 had four fields.
    [InlineData("cpu  10 20 30 40\n", 60, 100)]
    public void Busy_and_total_time_of_all_processors(string text, long busy, long total) =>
        Assert.Equal(new CpuTicks(busy, total), KernelText.Stat(Bytes(text)));

    [Theory]
    [InlineData("")]
    [InlineData("cpu0 1 2 3 4 5\n")]
    [InlineData("cpu  1 2\n")]
    [InlineData("cpu  a b c d\n")]
    [InlineData("cpu  1 2 -3 4 5\n")]
    public void What_is_not_processor_time_is_none(string text) => Assert.Null(KernelText.Stat(Bytes(text)));

    [Theory]
    [InlineData("some avg10=2.53 avg60=0.59 avg300=0.52 total=12580437\nfull avg10=2.00 avg60=0.59 avg300=0.51 total=12301602\n", 0.0253)]
    [InlineData("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", 0)]
    [InlineData("some avg10=100.00 avg60=0.00 avg300=0.00 total=0\n", 1)]
    [InlineData("some avg10=900.00\n", 0)]
    [InlineData("some avg10=\n", 0)]
    [InlineData("", 0)]
    public void Pressure_is_a_share(string text, double expected) => Assert.Equal(expected, KernelText.Pressure(Bytes(text)), 6);

    [Theory]
    [InlineData("0-3\n", 4)]
    [InlineData("0\n", 1)]
    [InlineData("0-3,6,8-9\n", 7)]
    [InlineData("3-0\n", 0)]
    [InlineData("0-\n", 1)]
    [InlineData("\n", 0)]
    [InlineData("none", 0)]
    public void Processors_of_a_list_are_counted(string text, int expected) => Assert.Equal(expected, KernelText.ListedCount(Bytes(text)));

    [Theory]
    [InlineData("150000 100000\n", 1.5)]
    [InlineData("5000 10000\n", 0.5)]
    [InlineData("max 100000\n", 0)]
    [InlineData("150000\n", 0)]
    [InlineData("150000 0\n", 0)]
    [InlineData("", 0)]
    public void A_quota_is_cores(string text, double expected) => Assert.Equal(expected, KernelText.CpuMax(Bytes(text)), 6);

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
