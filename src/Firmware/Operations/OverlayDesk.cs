using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Overlay.Peers;

namespace EdgeFirmware.Firmware.Operations;

/// <summary>A peer, as it is reached.</summary>
/// <param name="Path">The way in use; absent while there is none, or nothing has been said for a while.</param>
/// <param name="Waiting">Messages with which it has not dealt.</param>
/// <param name="Why">Why that way, when it was last changed.</param>
internal sealed record PeerPathsView(string Id, PathView? Path, PathView[] Paths, int Waiting, long Switches, string? Why);

/// <param name="Link">Its name; <c>route</c>: wherever the kernel routes.</param>
/// <param name="Via">ID of the neighbour that passes it on, to whom that link and address lead; absent: nobody.</param>
/// <param name="RoundTripMs">Smoothed; absent before the first answer.</param>
/// <param name="Loss">Share of the last 64 probes that were not answered, 0-1.</param>
internal sealed record PathView(string Link, string Kind, string Address, bool Usable, double? RoundTripMs, double Loss, string? Via = null);

/// <param name="Milliseconds">From the first packet, keys and all where there were none, until it was known that the peer has the message.</param>
internal sealed record ReachView(string Id, double Milliseconds, PathView? Path);

/// <summary>What a person can ask about the ways to other nodes.</summary>
internal sealed class OverlayDesk(OverlayNode? overlay, Func<string, NodeId> find, TimeProvider time)
{
    private const int CountMax = 100_000, IntervalMax = 60_000;

    /// <summary>A handshake over a slow radio, tried again a few times.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>Peers that were spoken with.</summary>
    public async Task<PeerPathsView[]> ListAsync()
    {
        if (overlay is null)
            return [];
        var peers = await overlay.ListAsync(CancellationToken.None);
        return [.. peers.OrderBy(peer => peer.Id).Select(ViewOf)];
    }

    /// <returns><c>null</c> without an overlay.</returns>
    public async Task<OverlayFigures?> FiguresAsync() => overlay is null ? null : await overlay.CountAsync(CancellationToken.None);

    /// <summary>Says something to a node again and again, whether it has the last one or not, and tells of each when it has come, in order.</summary>
    /// <exception cref="OperationRefusedException">No overlay, no such node, no such count, or no answer to one of them.</exception>
    public async IAsyncEnumerable<ReachView> ReachAsync(string name, int count, int intervalMilliseconds, [EnumeratorCancellation] CancellationToken cancel)
    {
        if (overlay is null)
            throw new OperationRefusedException(409, "this node has no overlay: Mesh.Listen is missing, or of this machine only and Overlay.Port is not given");
        if (count is < 1 or > CountMax || intervalMilliseconds is < 1 or > IntervalMax)
            throw new OperationRefusedException(400, $"1 to {CountMax} messages, 1 to {IntervalMax} ms apart");
        // A node that the mesh has lost may still be reached.
        var known = (await overlay.ListAsync(cancel)).Where(peer => peer.Id.Name == name || peer.Id.Value == name).ToList();
        var node = known.Count == 1 ? known[0].Id : await ToldOfAsync(overlay, name, cancel) ?? find(name);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var underWay = Channel.CreateUnbounded<Task<ReachView>>(); // at most CountMax
        var sending = SendAsync(overlay, node, count, TimeSpan.FromMilliseconds(intervalMilliseconds), underWay.Writer, ending.Token);
        try
        {
            await foreach (var reached in underWay.Reader.ReadAllAsync(cancel))
                yield return await reached;
        }
        finally
        {
            await ending.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // cancelled, unless all is said
        }
    }

    /// <summary>The mesh of a node behind others may not know it.</summary>
    private static async Task<NodeId?> ToldOfAsync(OverlayNode overlay, string name, CancellationToken cancel)
    {
        NodeId? found = null;
        foreach (var node in await overlay.ReachedAsync(cancel))
            if (node.Name == name || node.Value == name)
            {
                if (found is not null)
                    return null;
                found = node;
            }
        return found;
    }

    private async Task SendAsync(OverlayNode to, NodeId node, int count, TimeSpan interval, ChannelWriter<Task<ReachView>> underWay, CancellationToken cancel)
    {
        using var ticks = new PeriodicTimer(interval, time);
        for (var i = 0; i < count; i++)
        {
            underWay.TryWrite(ReachAsync(to, node, cancel));
            if (i + 1 < count)
                await ticks.WaitForNextTickAsync(cancel);
        }
        underWay.Complete();
    }

    private async Task<ReachView> ReachAsync(OverlayNode to, NodeId node, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        var started = time.GetTimestamp();
        try
        {
            await to.SendAsync(node, OverlayService.Echo, OverlayPriority.Urgent, default, limit.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new OperationRefusedException(504, $"{node} has not answered within {Patience.TotalSeconds:0} s over any link");
        }
        catch (PeerException error)
        {
            throw new OperationRefusedException(409, error.Message);
        }
        var elapsed = time.GetElapsedTime(started);
        var peers = await to.ListAsync(cancel);
        return new ReachView(node.Value, Math.Round(elapsed.TotalMilliseconds, 3), peers.FirstOrDefault(peer => peer.Id == node)?.Path is { } path ? ViewOf(path) : null);
    }

    private static PeerPathsView ViewOf(OverlayPeerView peer) => new(
        peer.Id.Value, peer.Path is { } path ? ViewOf(path) : null, [.. peer.Paths.Select(ViewOf)], peer.Waiting, peer.Switches, peer.Why.Length > 0 ? peer.Why : null);

    private static PathView ViewOf(OverlayPathView path) => new(
        path.Link, LinkWords.Of(path.Kind), path.Remote.ToString(), path.IsUsable, path.RoundTrip is { } trip ? Math.Round(trip.TotalMilliseconds, 3) : null, Math.Round(path.Loss, 3), path.Via?.Value);
}
