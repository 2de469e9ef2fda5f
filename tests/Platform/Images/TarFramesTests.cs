using System.Formats.Tar;
using System.Text;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Images;

namespace EdgeFirmware.Platform.Tests.Images;

public sealed class TarFramesTests
{
    [Fact]
    public async Task Damaged_tars_are_an_engine_failure_or_still_a_tar_and_nothing_else()
    {
        const int seed = 20_10_24;
        var random = new Random(seed);
        var name = $"{new string('d', 80)}/{new string('f', 60)}";
        foreach (var format in (TarEntryFormat[])[TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu])
        {
            var sound = TarTexts.Make(format, $"{name}=one", "two/", "three→two", $"four={new string('x', 2000)}").ToArray();
            for (var run = 0; run < 400; run++)
            {
                var damaged = sound.AsSpan(0, random.Next(sound.Length)).ToArray();
                for (var hit = random.Next(4); hit > 0 && damaged.Length > 0; hit--)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                var failure = await Record.ExceptionAsync(() => WalkAsync(damaged));
                Assert.True(failure is null or EngineException, $"seed {seed}, run {run}: {failure}");
            }
        }
    }

    [Fact]
    public void A_size_of_eight_gigabytes_and_more_is_base_256()
    {
        var block = new byte[512];
        block[124] = 0x80;
        block[124 + 7] = 2;
        Assert.Equal(2L << 32, TarHeader.Size(block));
        block[124] = 0xff;
        Assert.Equal(-1, TarHeader.Size(block));
    }

    [Theory]
    [InlineData("30 path=a\n", null)]
    [InlineData("10 path=a\n", "a")]
    [InlineData("7 x=yz\n10 path=a\n", "a")]
    [InlineData("0 path=a\n", null)]
    [InlineData("-5 path=a\n", null)]
    [InlineData("garbage", null)]
    public void Pax_records_count_their_own_length(string records, string? expected)
    {
        string? path = null;
        string? link = null;
        long? size = null;
        TarHeader.ReadPax(Encoding.ASCII.GetBytes(records), ref path, ref link, ref size);
        Assert.Equal(expected, path);
    }

    private static async Task WalkAsync(byte[] tar)
    {
        var frames = new TarFrames(new MemoryStream(tar));
        while (await frames.NextAsync(default))
            await frames.CopyEntryAsync(Stream.Null, default);
    }
}
