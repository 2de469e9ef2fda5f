namespace EdgeFirmware.Contracts.Engine;

/// <summary>Brings an image from one node's engine to another's without the layers that are there already. Faults are
/// <see cref="EngineException"/>.</summary>
public interface IImageCarrier
{
    /// <returns>Whether the whole image is here, and else how many layers, counted from the base, need not be sent.</returns>
    Task<(bool IsHere, int Layers)> FindAsync(ImageDescription wanted, CancellationToken cancel);

    /// <summary>Writes the image without its first <paramref name="skip"/> layers.</summary>
    Task SendAsync(ImageDescription image, int skip, Stream destination, CancellationToken cancel);

    /// <summary>Loads what <see cref="SendAsync"/> wrote and checks that it is the announced image. A tar that is cut off or damaged leaves
    /// the engine as it was.</summary>
    Task ReceiveAsync(ImageDescription announced, Stream source, CancellationToken cancel);

    /// <summary>Gives an image that is here the names it has on the sender.</summary>
    Task NameAsync(ImageDescription announced, CancellationToken cancel);
}
