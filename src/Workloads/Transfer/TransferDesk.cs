using System.Text;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Copies;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Transfer;

/// <summary>Receives transfers under leases that the mesh has granted.</summary>
/// <param name="begin">Says what was agreed for a lease and peer, and when that ends; <c>null</c> when nothing was.</param>
/// <param name="ended">Tells whether the container is prepared; answers whether the lease still stands.</param>
public sealed class TransferDesk(
    WorkloadHost host, IContainerEngine engine, IImageCarrier images, Func<Guid, NodeId, Task<GrantedLease?>> begin,
    Func<Guid, bool, Task<bool>> ended, ILogger log)
{
    /// <summary>Receives one image, or the volumes of one workload. Returns, so that the conversation is closed, also when the lease ends meanwhile.</summary>
    public async Task ServeAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        if (await conversation.ReceiveAsync(cancel) is not { Type: (byte)TransferFrame.Begin } first)
            throw new PeerException("a transfer begins with its lease");
        var opening = Read(first.Body.Span);
        if (await begin(opening.Lease, conversation.Peer) is not { } granted)
        {
            await RejectAsync(conversation, "no such lease", cancel);
            return;
        }
        if (await ReceiveAsync(conversation, granted, opening, cancel) is { } fault)
        {
            if (granted.Ended.IsCancellationRequested)
                return; // the sender is in the middle of something: only the end of the conversation reaches it
            await RejectAsync(conversation, fault, cancel);
            return;
        }
        await conversation.SendAsync((byte)TransferFrame.Ready, default, cancel);
        // The sender closes: so that its last frame is read before the connection goes.
        await conversation.ReceiveAsync(cancel);
    }

    /// <returns>Why it is not prepared; <c>null</c> when it is.</returns>
    private async Task<string?> ReceiveAsync(IPeerConversation conversation, GrantedLease granted, TransferBegin opening, CancellationToken cancel)
    {
        var spec = granted.Spec;
        using var receiving = CancellationTokenSource.CreateLinkedTokenSource(cancel, granted.Ended);
        var prepared = false;
        var stands = false;
        try
        {
            if (opening.Volumes)
                await ReceiveVolumesAsync(conversation, spec, opening, receiving.Token);
            else
            {
                await ReceiveImageAsync(conversation, spec, opening, receiving.Token);
                // Not cut short: a container that is half made has no lease to be found by.
                await host.PrepareAsync(spec, opening.Epoch, opening.Lease, cancel);
            }
            if (granted.IsToHold)
                await engine.FlushAsync(receiving.Token);
            prepared = true;
        }
        catch (OperationCanceledException) when (granted.Ended.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            // Nobody wants the rest. What is prepared under the lease goes, as below.
        }
        catch (Exception error) when (error is EngineException or WorkloadException)
        {
            return error.Message;
        }
        finally
        {
            // Also when the peer has vanished: the lease must not wait for what will not come.
            stands = await ended(opening.Lease, prepared);
        }
        if (stands)
            return null;
        try
        {
            await host.DiscardPreparedAsync(spec.Id, opening.Lease, cancel);
        }
        catch (WorkloadException)
        {
            // The engine is gone; it is sorted out when it is back.
        }
        return "the lease has ended";
    }

    private async Task ReceiveImageAsync(IPeerConversation conversation, WorkloadSpec spec, TransferBegin opening, CancellationToken cancel)
    {
        if (opening.Image is { } image)
        {
            if (image.LayerDigests.Count is 0 or > 128 || image.References.Count > 32 || !image.Id.StartsWith("sha256:", StringComparison.Ordinal)
                || image.LayerDigests.Contains(null!) || image.References.Contains(null!))
                throw new WorkloadException("the image announced cannot be");
            var (isHere, skip) = await images.FindAsync(image, cancel);
            await WantAsync(conversation, new TransferWant(!isHere, skip), cancel);
            await using var stream = new FrameReadStream(conversation);
            if (isHere)
                await images.NameAsync(image, cancel);
            else
            {
                await images.ReceiveAsync(image, stream, cancel);
                await stream.DrainAsync(cancel);
            }
            WorkloadLog.Received(log, spec.Id, stream.BytesRead, conversation.Peer, skip, image.LayerDigests.Count);
        }
        else
            await WantAsync(conversation, new TransferWant(SendImage: false, 0), cancel);
        await ExpectDoneAsync(conversation, cancel);
    }

    private async Task ReceiveVolumesAsync(IPeerConversation conversation, WorkloadSpec spec, TransferBegin opening, CancellationToken cancel)
    {
        var container = host.PreparedContainer(spec.Id, opening.Lease) ?? throw new WorkloadException("no container was prepared for these volumes");
        await WantAsync(conversation, new TransferWant(SendImage: false, 0), cancel);
        while (await conversation.ReceiveAsync(cancel) is { } frame)
        {
            if (frame.Type == (byte)TransferFrame.Done)
                return;
            if (frame.Type != (byte)TransferFrame.Volume || !spec.Volumes.TryGetValue(Encoding.UTF8.GetString(frame.Body.Span), out var path))
                throw new PeerException("a volume that the workload does not have");
            await using var stream = new FrameReadStream(conversation);
            // The tar holds the directory itself, so it is unpacked beside it.
            var parent = path.TrimEnd('/') is var trimmed && trimmed.LastIndexOf('/') is > 0 and var slash ? trimmed[..slash] : "/";
            await engine.CopyInAsync(container, parent, stream, cancel);
            await stream.DrainAsync(cancel);
        }
        throw new PeerException("the transfer was cut off");
    }

    private static async Task ExpectDoneAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        if (await conversation.ReceiveAsync(cancel) is not { Type: (byte)TransferFrame.Done })
            throw new PeerException("the transfer was cut off");
    }

    private static async Task WantAsync(IPeerConversation conversation, TransferWant want, CancellationToken cancel) =>
        await conversation.SendAsync((byte)TransferFrame.Want, JsonSerializer.SerializeToUtf8Bytes(want, TransferJson.Default.TransferWant), cancel);

    private static async Task RejectAsync(IPeerConversation conversation, string why, CancellationToken cancel) =>
        await conversation.SendAsync((byte)TransferFrame.Reject, Encoding.UTF8.GetBytes(why.Length > 500 ? why[..500] : why), cancel);

    private static TransferBegin Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, TransferJson.Default.TransferBegin) ?? throw new PeerException("an empty transfer");
        }
        catch (JsonException error)
        {
            throw new PeerException($"not a transfer: {error.Message}", error);
        }
    }
}
