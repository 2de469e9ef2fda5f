using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>An image is a run of bytes here: the carrier sends it and notes that it has arrived.</summary>
internal sealed class BookedImages(RememberingEngine engine, byte[] content) : IImageCarrier
{
    public byte[] Received { get; private set; } = [];

    public Task<(bool IsHere, int Layers)> FindAsync(ImageDescription wanted, CancellationToken cancel) =>
        Task.FromResult((engine.Images.Contains(wanted.References[0]), 0));

    public async Task SendAsync(ImageDescription image, int skip, Stream destination, CancellationToken cancel) => await destination.WriteAsync(content, cancel);

    public async Task ReceiveAsync(ImageDescription announced, Stream source, CancellationToken cancel)
    {
        using var received = new MemoryStream();
        await source.CopyToAsync(received, cancel);
        Received = received.ToArray();
        engine.Images.Add(announced.References[0]);
    }

    public Task NameAsync(ImageDescription announced, CancellationToken cancel) => Task.CompletedTask;
}
