using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Images;

/// <summary>Sends and receives images as the workload layer asks for it. What a peer announces is checked before the engine sees it.</summary>
public sealed class ImageCarrier(IContainerEngine engine) : IImageCarrier
{
    private readonly ImageSender _sender = new(engine);
    private readonly ImageReceiver _receiver = new(engine);

    public async Task<(bool IsHere, int Layers)> FindAsync(ImageDescription wanted, CancellationToken cancel)
    {
        var presence = await _receiver.FindAsync(Checked(wanted), cancel);
        return (presence.IsHere, presence.LayersPresent);
    }

    public Task SendAsync(ImageDescription image, int skip, Stream destination, CancellationToken cancel) =>
        _sender.SendAsync(ImageOutline.From(image), skip, destination, cancel);

    public Task ReceiveAsync(ImageDescription announced, Stream source, CancellationToken cancel) =>
        _receiver.ReceiveAsync(Checked(announced), source, cancel);

    public Task NameAsync(ImageDescription announced, CancellationToken cancel) => _receiver.NameAsync(Checked(announced), cancel);

    private static ImageOutline Checked(ImageDescription announced)
    {
        var outline = ImageOutline.From(announced);
        return outline.IsSound() ? outline : throw new EngineException(EngineFailure.Rejected, "the image announced cannot be");
    }
}
