using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Workloads.Transfer;

/// <summary>Sends a workload's image, or the content of its volumes, to the peer that granted a lease. Returns bytes put on the wire; throws
/// <see cref="PeerException"/>, <see cref="EngineException"/>, or <see cref="WorkloadException"/> with the peer's reason.</summary>
internal static class TransferSender
{
    /// <param name="image"><c>null</c>: the peer must have it, or get it from its registry.</param>
    public static async Task<long> SendImageAsync(
        IPeerNetwork network, IImageCarrier images, NodeId peer, Guid lease, long epoch, ImageDescription? image, CancellationToken cancel)
    {
        await using var conversation = await network.OpenAsync(peer, ConversationKind.Transfer, cancel);
        await BeginAsync(conversation, new TransferBegin(lease, epoch, image, Volumes: false), cancel);
        var want = ReadWant(await ExpectAsync(conversation, TransferFrame.Want, cancel), peer);
        if (want.SendImage)
        {
            if (image is null || want.SkipLayers < 0 || want.SkipLayers > image.LayerDigests.Count)
                throw new PeerException($"{peer} wants an image that was not offered");
            await using var stream = new FrameWriteStream(conversation);
            await images.SendAsync(image, want.SkipLayers, stream, cancel);
            await stream.EndAsync(cancel);
        }
        await FinishAsync(conversation, cancel);
        return conversation.BytesSent;
    }

    /// <param name="container">Holds the volumes; it does not run.</param>
    public static async Task<long> SendVolumesAsync(
        IPeerNetwork network, IContainerEngine engine, NodeId peer, Guid lease, WorkloadSpec spec, long epoch, string container, CancellationToken cancel)
    {
        await using var conversation = await network.OpenAsync(peer, ConversationKind.Transfer, cancel);
        await BeginAsync(conversation, new TransferBegin(lease, epoch, null, Volumes: true), cancel);
        await ExpectAsync(conversation, TransferFrame.Want, cancel);
        foreach (var (volume, path) in spec.Volumes)
        {
            await conversation.SendAsync((byte)TransferFrame.Volume, Encoding.UTF8.GetBytes(volume), cancel);
            await using var stream = new FrameWriteStream(conversation);
            await using (var tar = await engine.CopyOutAsync(container, path, cancel))
                await tar.CopyToAsync(stream, cancel);
            await stream.EndAsync(cancel);
        }
        await FinishAsync(conversation, cancel);
        return conversation.BytesSent;
    }

    private static TransferWant ReadWant(ReadOnlyMemory<byte> body, NodeId peer)
    {
        try
        {
            return JsonSerializer.Deserialize(body.Span, TransferJson.Default.TransferWant) ?? throw new PeerException($"{peer} wants nothing");
        }
        catch (JsonException error)
        {
            throw new PeerException($"{peer} wants nothing that can be read: {error.Message}", error);
        }
    }

    private static async Task BeginAsync(IPeerConversation conversation, TransferBegin begin, CancellationToken cancel) =>
        await conversation.SendAsync(
            (byte)TransferFrame.Begin, JsonSerializer.SerializeToUtf8Bytes(begin, TransferJson.Default.TransferBegin), cancel);

    private static async Task FinishAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        await conversation.SendAsync((byte)TransferFrame.Done, default, cancel);
        await ExpectAsync(conversation, TransferFrame.Ready, cancel);
    }

    private static async Task<ReadOnlyMemory<byte>> ExpectAsync(IPeerConversation conversation, TransferFrame expected, CancellationToken cancel)
    {
        var frame = await conversation.ReceiveAsync(cancel) ?? throw new PeerException($"{conversation.Peer} ended the transfer");
        if (frame.Type == (byte)TransferFrame.Reject)
            throw new WorkloadException(Encoding.UTF8.GetString(frame.Body.Span));
        return frame.Type == (byte)expected ? frame.Body : throw new PeerException($"frame {frame.Type} where {expected} was due");
    }
}
