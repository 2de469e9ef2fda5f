using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>What a node tells another about an image before it sends any of it: enough to find out which layers are there already.</summary>
/// <param name="Id">Config digest; pins the content, whatever a reference points at later.</param>
/// <param name="References">Names the receiver gives the image once it is there.</param>
/// <param name="LayerDigests">Uncompressed layer digests, base first.</param>
/// <param name="SizeBytes">Unpacked size, for admission: what the receiver needs free at most.</param>
public sealed record ImageOutline(string Id, IReadOnlyList<string> References, IReadOnlyList<string> LayerDigests, long SizeBytes)
{
    /// <summary>Docker's own limit is 127 (overlay mounts).</summary>
    public const int LayersMax = 128;

    public const int ReferencesMax = 32;

    private const string DigestPrefix = "sha256:";

    public static ImageOutline From(ImageDescription image) => new(image.Id, image.References, image.LayerDigests, image.SizeBytes);

    /// <summary>Whether it can be what an honest peer sends; ask before using one from the network.</summary>
    public bool IsSound()
    {
        if (!IsDigest(Id) || SizeBytes < 0 || References.Count > ReferencesMax || LayerDigests.Count is 0 or > LayersMax)
            return false;
        foreach (var layer in LayerDigests)
            if (!IsDigest(layer))
                return false;
        return true;
    }

    private static bool IsDigest(string text)
    {
        if (text.Length != DigestPrefix.Length + 64 || !text.StartsWith(DigestPrefix, StringComparison.Ordinal))
            return false;
        foreach (var c in text.AsSpan(DigestPrefix.Length))
            if (!char.IsAsciiHexDigitLower(c))
                return false;
        return true;
    }
}
