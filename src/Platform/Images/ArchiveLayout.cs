using System.Text.Json;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>Where an image tar keeps its layers. <c>manifest.json</c> says so, and it comes at or near the end; so finding out takes a pass of
/// its own, except where files are named by the layer's digest.</summary>
/// <param name="LayerPaths">As in <c>manifest.json</c>, base first.</param>
/// <param name="Links">Path of a link → path that it stands for. Engines store equal layers once and link the others.</param>
internal sealed record ArchiveLayout(IReadOnlyList<string> LayerPaths, IReadOnlyDictionary<string, string> Links)
{
    private const int ManifestBytesMax = 1 << 20;
    private const int EntriesMax = 4096;

    private static readonly Uri Root = new("file:///");

    /// <summary>Docker 25 and later name every layer's file by its digest (OCI image layout, "blobs"); with a graph driver that is the
    /// uncompressed digest. Their tar begins with this directory.</summary>
    public static bool NamesFilesByDigest(string firstPath) => firstPath.StartsWith("blobs/", StringComparison.Ordinal);

    /// <summary>The files of the first <paramref name="skip"/> layers where files are named by digest.</summary>
    public static HashSet<string> BlobsOf(IReadOnlyList<string> layerDigests, int skip)
    {
        var leaveOut = new HashSet<string>();
        for (var layer = 0; layer < skip; layer++)
            leaveOut.Add(Blob(layerDigests[layer]));
        for (var layer = skip; layer < layerDigests.Count; layer++)
            leaveOut.Remove(Blob(layerDigests[layer]));
        return leaveOut;
    }

    /// <summary>Reads on from the current entry until the manifest and, for the links, to the end.</summary>
    public static async Task<ArchiveLayout> ReadAsync(TarFrames frames, CancellationToken cancel)
    {
        var links = new Dictionary<string, string>();
        List<string>? layers = null;
        var entries = 0;
        do
        {
            if (++entries > EntriesMax)
                throw new EngineException(EngineFailure.Failed, $"the image tar has more than {EntriesMax} entries");
            if (frames.Kind == '2')
                links[frames.Path] = Resolve(frames.Path, frames.LinkPath);
            else if (frames.Kind == '1')
                links[frames.Path] = frames.LinkPath;
            else if (frames.Path == "manifest.json")
                layers = LayersIn(await frames.ReadDataAsync(ManifestBytesMax, cancel));
        }
        while (await frames.NextAsync(cancel));
        return new ArchiveLayout(layers ?? throw new EngineException(EngineFailure.Failed, "the image tar has no manifest.json"), links);
    }

    /// <summary>The files that only the first <paramref name="skip"/> layers need.</summary>
    public HashSet<string> FilesOf(int skip)
    {
        var leaveOut = new HashSet<string>();
        for (var layer = 0; layer < skip; layer++)
            leaveOut.Add(File(layer));
        for (var layer = skip; layer < LayerPaths.Count; layer++)
            leaveOut.Remove(File(layer));
        return leaveOut;
    }

    internal static List<string> LayersIn(byte[] manifest)
    {
        try
        {
            if (JsonSerializer.Deserialize(manifest, EngineJson.Default.ListArchiveManifest) is [{ Layers: { } layers }])
                return layers;
        }
        catch (JsonException)
        {
            // Reported below.
        }
        throw new EngineException(EngineFailure.Failed, "the image tar's manifest.json does not describe one image");
    }

    private string File(int layer) => Links.TryGetValue(LayerPaths[layer], out var target) ? target : LayerPaths[layer];

    private static string Blob(string digest) => $"blobs/sha256/{digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..]}";

    private static string Resolve(string link, string target) =>
        Uri.UnescapeDataString(new Uri(new Uri(Root, link), target).AbsolutePath.TrimStart('/'));
}
