using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>Sends an image of this node's engine without the layers that the receiver has. Nothing is held in memory beyond one chunk.</summary>
public sealed class ImageSender(IContainerEngine engine)
{
    /// <returns><c>null</c> when the engine has no such image.</returns>
    public async Task<ImageOutline?> OutlineAsync(string reference, CancellationToken cancel) =>
        await engine.InspectImageAsync(reference, cancel) is { } image ? ImageOutline.From(image) : null;

    /// <summary>Writes the image as a tar for <see cref="ImageReceiver.ReceiveAsync"/>. Where the engine's tar tells its layout only at its
    /// end (Docker before 25, Podman) and something is to be left out, the engine has to produce it twice.</summary>
    /// <param name="skip">Layers to leave out, from the base: what the receiver answered.</param>
    public async Task SendAsync(ImageOutline image, int skip, Stream destination, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(skip, image.LayerDigests.Count);
        HashSet<string> leaveOut;
        // By ID, so the tar holds no names: the receiver gives them, after it has checked what it got.
        await using (var tar = await engine.SaveImageAsync(image.Id, cancel))
        {
            var frames = new TarFrames(tar);
            if (!await frames.NextAsync(cancel))
                throw new EngineException(EngineFailure.Failed, "the engine saved an empty image tar");
            if (skip == 0 || ArchiveLayout.NamesFilesByDigest(frames.Path))
            {
                await CopyAsync(frames, ArchiveLayout.BlobsOf(image.LayerDigests, skip), destination, cancel);
                return;
            }
            var layout = await ArchiveLayout.ReadAsync(frames, cancel);
            if (layout.LayerPaths.Count != image.LayerDigests.Count)
                throw new EngineException(EngineFailure.Failed, "the engine's image tar does not have the layers that the engine named");
            leaveOut = layout.FilesOf(skip);
        }
        await using var again = await engine.SaveImageAsync(image.Id, cancel);
        var second = new TarFrames(again);
        if (await second.NextAsync(cancel))
            await CopyAsync(second, leaveOut, destination, cancel);
    }

    private static async Task CopyAsync(TarFrames frames, HashSet<string> leaveOut, Stream destination, CancellationToken cancel)
    {
        do
        {
            if (!leaveOut.Contains(frames.Path))
                await frames.CopyEntryAsync(destination, cancel);
        }
        while (await frames.NextAsync(cancel));
        await TarFrames.WriteEndAsync(destination, cancel);
        await destination.FlushAsync(cancel);
    }
}
