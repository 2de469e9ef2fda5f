using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>Takes images from other nodes into this node's engine.</summary>
public sealed class ImageReceiver(IContainerEngine engine)
{
    /// <summary>Images looked at for a common base. A node with more is asked to accept a layer twice.</summary>
    private const int ImagesMax = 256;

    public async Task<ImagePresence> FindAsync(ImageOutline wanted, CancellationToken cancel)
    {
        if (await engine.InspectImageAsync(wanted.Id, cancel) is not null)
            return new ImagePresence(true, wanted.LayerDigests.Count);
        if (!(await engine.DescribeAsync(cancel)).LoadsPartialImages)
            return new ImagePresence(false, 0);
        var present = new List<IReadOnlyList<string>>();
        foreach (var listed in await engine.ListImagesAsync(cancel))
            if (present.Count < ImagesMax && await engine.InspectImageAsync(listed.Id, cancel) is { } image)
                present.Add(image.LayerDigests);
        return new ImagePresence(false, CommonBase.LayersPresent(wanted.LayerDigests, present));
    }

    /// <summary>Loads what <see cref="ImageSender.SendAsync"/> wrote, checks that it is the image that was announced, and names it. A tar that is
    /// cut off, damaged, or lacks a layer that is not here leaves the engine as it was. An engine that refuses a tar with left-out layers (the
    /// base may have been removed meanwhile) takes the whole one: ask again with nothing left out.</summary>
    public async Task ReceiveAsync(ImageOutline image, Stream tar, CancellationToken cancel)
    {
        try
        {
            await engine.LoadImageAsync(tar, cancel);
        }
        catch (EngineException e) when (e.Failure is EngineFailure.Failed or EngineFailure.Rejected)
        {
            throw new EngineException(
                e.Failure, $"the engine did not take image {image.Id}; the tar is damaged, or a layer it leaves out is not here: {e.Message}", e);
        }
        await NameAsync(image, cancel);
    }

    /// <summary>Gives an image that is here the names of <paramref name="image"/>.</summary>
    public async Task NameAsync(ImageOutline image, CancellationToken cancel)
    {
        if (await engine.InspectImageAsync(image.Id, cancel) is null)
            throw new EngineException(EngineFailure.Rejected, $"what was loaded is not the announced image {image.Id}");
        foreach (var reference in image.References)
            await engine.TagImageAsync(image.Id, reference, cancel);
    }
}
