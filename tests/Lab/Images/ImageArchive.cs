using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeFirmware.Lab.Images;

/// <param name="Path">In the container, without the slash at its beginning.</param>
/// <param name="Content">Opened when the archive is written.</param>
public sealed record LayerFile(string Path, Func<Stream> Content, bool IsExecutable = false);

/// <summary>Writes an image as the tar that <c>docker load</c> takes, with as many layers as given, from files of this machine: no
/// registry, no Dockerfile, no engine needed. Same files, same image ID.</summary>
public static class ImageArchive
{
    private static readonly DateTimeOffset FixedTime = DateTimeOffset.UnixEpoch;

    public static void Write(
        string file, string reference, string architecture, IReadOnlyList<string> entryPoint, IReadOnlyList<IReadOnlyList<LayerFile>> layers)
    {
        var work = file + ".layers";
        Directory.CreateDirectory(work);
        try
        {
            var digests = new List<string>();
            for (var i = 0; i < layers.Count; i++)
                digests.Add(WriteLayer(Path.Combine(work, $"{i}.tar"), layers[i]));
            var config = Configuration(architecture, entryPoint, digests).ToJsonString();
            var configName = Digest(new MemoryStream(Encoding.UTF8.GetBytes(config))) + ".json";
            var manifest = new JsonArray(new JsonObject
            {
                ["Config"] = configName,
                ["RepoTags"] = new JsonArray(reference),
                ["Layers"] = new JsonArray([.. digests.Select(digest => (JsonNode)$"{digest}/layer.tar")]),
            }).ToJsonString();
            using var output = File.Create(file);
            using var tar = new TarWriter(output, TarEntryFormat.Pax);
            for (var i = 0; i < digests.Count; i++)
                if (digests.IndexOf(digests[i]) == i)
                    Add(tar, $"{digests[i]}/layer.tar", File.OpenRead(Path.Combine(work, $"{i}.tar")), executable: false);
            Add(tar, configName, new MemoryStream(Encoding.UTF8.GetBytes(config)), executable: false);
            Add(tar, "manifest.json", new MemoryStream(Encoding.UTF8.GetBytes(manifest)), executable: false);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <returns>The layer's digest, hexadecimal.</returns>
    private static string WriteLayer(string file, IReadOnlyList<LayerFile> files)
    {
        using (var output = File.Create(file))
        using (var tar = new TarWriter(output, TarEntryFormat.Pax))
        {
            var made = new HashSet<string>();
            foreach (var entry in files.OrderBy(entry => entry.Path, StringComparer.Ordinal))
            {
                AddDirectories(tar, entry.Path, made);
                Add(tar, entry.Path, entry.Content(), entry.IsExecutable);
            }
        }
        using var written = File.OpenRead(file);
        return Digest(written);
    }

    private static void AddDirectories(TarWriter tar, string path, HashSet<string> made)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            if (made.Add(path[..slash]))
                tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, path[..(slash + 1)])
                {
                    Mode = (UnixFileMode)0b111_101_101,
                    ModificationTime = FixedTime,
                });
    }

    private static void Add(TarWriter tar, string name, Stream content, bool executable)
    {
        using (content)
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = content,
                Mode = (UnixFileMode)(executable ? 0b111_101_101 : 0b110_100_100),
                ModificationTime = FixedTime,
            });
    }

    private static JsonObject Configuration(string architecture, IReadOnlyList<string> entryPoint, List<string> digests) => new()
    {
        ["architecture"] = architecture,
        ["os"] = "linux",
        ["created"] = "1970-01-01T00:00:00Z",
        ["config"] = new JsonObject
        {
            ["Entrypoint"] = new JsonArray([.. entryPoint.Select(part => (JsonNode)part)]),
            ["WorkingDir"] = "/",
        },
        ["rootfs"] = new JsonObject
        {
            ["type"] = "layers",
            ["diff_ids"] = new JsonArray([.. digests.Select(digest => (JsonNode)$"sha256:{digest}")]),
        },
        ["history"] = new JsonArray([.. digests.Select(_ => (JsonNode)new JsonObject { ["created"] = "1970-01-01T00:00:00Z" })]),
    };

    private static string Digest(Stream content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
