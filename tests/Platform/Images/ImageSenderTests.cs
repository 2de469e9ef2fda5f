using System.Formats.Tar;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Images;

namespace EdgeFirmware.Platform.Tests.Images;

public sealed class ImageSenderTests
{
    /// <summary>Docker before 25: a directory a layer, equal layers linked, the manifest at the end.</summary>
    private static readonly string[] Legacy =
    [
        "config.json={}", "aaa/", "aaa/VERSION=1.0", "aaa/layer.tar=base", "bbb/", "bbb/layer.tar=middle", "ccc/", "ccc/layer.tar→../aaa/layer.tar",
        """manifest.json=[{"Config":"config.json","RepoTags":null,"Layers":["aaa/layer.tar","bbb/layer.tar","ccc/layer.tar"]}]""",
    ];

    private static readonly string[] Blobs =
    [
        "blobs/", "blobs/sha256/", "blobs/sha256/0a=base", "blobs/sha256/0b=middle", "blobs/sha256/0c=top", "index.json={}",
        """manifest.json=[{"Config":"blobs/sha256/0d","Layers":["blobs/sha256/0a","blobs/sha256/0b","blobs/sha256/0c"]}]""", "oci-layout={}",
    ];

    public static TheoryData<TarEntryFormat> Formats => new(TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu);

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_tar_that_nothing_is_left_out_of_arrives_as_it_was_in_one_pass(TarEntryFormat format)
    {
        var (sent, saves) = await SendAsync(TarTexts.Make(format, Legacy), 0, "0a", "0b", "0c");
        Assert.Equal(await TarTexts.ListAsync(TarTexts.Make(format, Legacy)), await TarTexts.ListAsync(sent));
        Assert.Equal(1, saves);
    }

    [Fact]
    public async Task A_layer_that_another_kept_layer_links_to_is_kept()
    {
        var (sent, saves) = await SendAsync(TarTexts.Make(TarEntryFormat.Pax, Legacy), 2, "0a", "0b", "0a");
        var listed = await TarTexts.ListAsync(sent);
        Assert.Contains("aaa/layer.tar=base", listed);
        Assert.DoesNotContain("bbb/layer.tar=middle", listed);
        Assert.Contains("ccc/layer.tar→../aaa/layer.tar", listed);
        Assert.Equal(2, saves);
    }

    [Fact]
    public async Task With_all_layers_left_out_the_configuration_and_the_manifest_remain()
    {
        var (sent, _) = await SendAsync(TarTexts.Make(TarEntryFormat.Ustar, Legacy), 3, "0a", "0b", "0a");
        var listed = await TarTexts.ListAsync(sent);
        Assert.DoesNotContain(listed, entry => entry.Contains("layer.tar=", StringComparison.Ordinal));
        Assert.Contains("config.json={}", listed);
        Assert.Contains(listed, entry => entry.StartsWith("manifest.json=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Where_files_are_named_by_digest_one_pass_is_enough()
    {
        var (sent, saves) = await SendAsync(TarTexts.Make(TarEntryFormat.Pax, Blobs), 2, "0a", "0b", "0c");
        var listed = await TarTexts.ListAsync(sent);
        Assert.Equal(["blobs/sha256/0c=top"], listed.Where(entry => entry.StartsWith("blobs/sha256/0", StringComparison.Ordinal)));
        Assert.Equal(1, saves);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task Long_names_survive(TarEntryFormat format)
    {
        var name = $"{new string('d', 80)}/{new string('f', 60)}";
        string[] entries = [$"{name}=long", $"manifest.json=[{{\"Config\":\"c\",\"Layers\":[\"{name}\"]}}]"];
        var (whole, _) = await SendAsync(TarTexts.Make(format, entries), 0, "0a");
        Assert.Equal(entries, await TarTexts.ListAsync(whole));
        var (partial, _) = await SendAsync(TarTexts.Make(format, entries), 1, "0a");
        Assert.Equal(entries[1..], await TarTexts.ListAsync(partial));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(512)]
    [InlineData(600)]
    [InlineData(2600)]
    public async Task A_save_that_is_cut_off_is_an_error_and_no_complete_tar_comes_out(int bytes)
    {
        var tar = TarTexts.Make(TarEntryFormat.Ustar, Legacy).ToArray()[..bytes];
        using var destination = new MemoryStream();
        var failure = await Assert.ThrowsAsync<EngineException>(
            () => new ImageSender(new SavedImageEngine(tar)).SendAsync(Outline("0a", "0b", "0c"), 0, destination, default));
        Assert.Contains("cut off", failure.Message, StringComparison.Ordinal);
        Assert.True(destination.Length <= bytes, "an end mark was written");
    }

    [Fact]
    public async Task An_error_message_in_the_middle_of_a_save_is_noticed()
    {
        var tar = TarTexts.Make(TarEntryFormat.Ustar, Legacy).ToArray();
        "{\"error\":\"no space left on device\"}"u8.CopyTo(tar.AsSpan(1024));
        using var destination = new MemoryStream();
        await Assert.ThrowsAsync<EngineException>(
            () => new ImageSender(new SavedImageEngine(tar)).SendAsync(Outline("0a", "0b", "0c"), 0, destination, default));
    }

    [Fact]
    public async Task A_tar_with_other_layers_than_announced_is_an_error()
    {
        var engine = new SavedImageEngine(TarTexts.Make(TarEntryFormat.Ustar, Legacy).ToArray());
        using var destination = new MemoryStream();
        await Assert.ThrowsAsync<EngineException>(() => new ImageSender(engine).SendAsync(Outline("0a", "0b"), 1, destination, default));
        Assert.Equal(0, destination.Length);
    }

    private static ImageOutline Outline(params string[] layers) => new("sha256:00", [], Array.ConvertAll(layers, one => $"sha256:{one}"), 1);

    private static async Task<(MemoryStream Sent, int Saves)> SendAsync(MemoryStream tar, int skip, params string[] layers)
    {
        var engine = new SavedImageEngine(tar.ToArray());
        var destination = new MemoryStream();
        await new ImageSender(engine).SendAsync(Outline(layers), skip, destination, default);
        destination.Position = 0;
        return (destination, engine.Saves);
    }
}
