using EdgeFirmware.Platform.Images;

namespace EdgeFirmware.Platform.Tests.Images;

public sealed class ImageOutlineTests
{
    private static readonly string Digest = $"sha256:{new string('a', 64)}";

    [Fact]
    public void What_an_engine_says_is_sound() => Assert.True(new ImageOutline(Digest, ["box:1"], [Digest], 1).IsSound());

    [Fact]
    public void What_no_engine_says_is_not()
    {
        Assert.False(new ImageOutline("box:1", [], [Digest], 1).IsSound());
        Assert.False(new ImageOutline(Digest, [], [], 1).IsSound());
        Assert.False(new ImageOutline(Digest, [], [Digest, "../../etc"], 1).IsSound());
        Assert.False(new ImageOutline(Digest, [], [Digest], -1).IsSound());
        Assert.False(new ImageOutline(Digest, [], Enumerable.Repeat(Digest, ImageOutline.LayersMax + 1).ToList(), 1).IsSound());
        Assert.False(new ImageOutline(Digest, Enumerable.Repeat("x", ImageOutline.ReferencesMax + 1).ToList(), [Digest], 1).IsSound());
    }
}
