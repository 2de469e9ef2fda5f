using System.Formats.Tar;
using System.Text;

namespace EdgeFirmware.Platform.Tests.Images;

/// <summary>Makes and lists small tars. In a listing a file is <c>path=content</c> and a link <c>path→target</c>.</summary>
internal static class TarTexts
{
    public static MemoryStream Make(TarEntryFormat format, params string[] entries)
    {
        var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, format, leaveOpen: true))
            foreach (var entry in entries)
                writer.WriteEntry(Entry(format, entry));
        tar.Position = 0;
        return tar;
    }

    public static async Task<List<string>> ListAsync(Stream tar)
    {
        var listed = new List<string>();
        using var reader = new TarReader(tar);
        while (await reader.GetNextEntryAsync() is { } entry)
            listed.Add(entry.EntryType switch
            {
                TarEntryType.Directory => entry.Name,
                TarEntryType.SymbolicLink => $"{entry.Name}→{entry.LinkName}",
                _ => $"{entry.Name}={(entry.DataStream is { } data ? await new StreamReader(data).ReadToEndAsync() : "")}",
            });
        return listed;
    }

    private static TarEntry Entry(TarEntryFormat format, string text)
    {
        var arrow = text.IndexOf('→', StringComparison.Ordinal);
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var name = arrow >= 0 ? text[..arrow] : equals >= 0 ? text[..equals] : text;
        var type = arrow >= 0 ? TarEntryType.SymbolicLink : equals >= 0 ? TarEntryType.RegularFile : TarEntryType.Directory;
        TarEntry entry = format switch
        {
            TarEntryFormat.Pax => new PaxTarEntry(type, name),
            TarEntryFormat.Gnu => new GnuTarEntry(type, name),
            _ => new UstarTarEntry(type, name),
        };
        if (arrow >= 0)
            entry.LinkName = text[(arrow + 1)..];
        else if (equals >= 0)
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text[(equals + 1)..]));
        return entry;
    }
}
