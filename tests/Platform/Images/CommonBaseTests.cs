using EdgeFirmware.Platform.Images;

namespace EdgeFirmware.Platform.Tests.Images;

public sealed class CommonBaseTests
{
    [Theory]
    [InlineData("a b c", "", 0)]
    [InlineData("a b c", "a", 1)]
    [InlineData("a b c", "a b x", 2)]
    [InlineData("a b c", "a b c d", 3)]
    // A layer that is there on another base has another chain: it does not count.
    [InlineData("a b c", "b c", 0)]
    [InlineData("a b c", "x b c", 0)]
    // Two images that have a part each do not add up.
    [InlineData("a b c", "a|x b c", 1)]
    [InlineData("a b c", "a|a b|c", 2)]
    [InlineData("a a b", "a", 1)]
    [InlineData("", "a b", 0)]
    public void The_longest_common_prefix_with_one_image_counts(string wanted, string present, int expected) =>
        Assert.Equal(expected, CommonBase.LayersPresent(Words(wanted), present.Split('|').Select(Words)));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
