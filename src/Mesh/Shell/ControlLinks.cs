using System.Text.Json;
using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Negotiation;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Carries control messages to peers: one conversation each, opened when there is something to say, closed when idle. What is waiting
/// when the peer closes goes over the next conversation, a message that may have arrived a second time; receivers take it once. What cannot
/// be delivered is dropped; the core repeats what matters.</summary>
internal sealed class ControlLinks(IPeerNetwork network, TimeProvider time, ILogger log, CancellationToken stopping)
{
    private const int QueueMax = 256;
    private const byte MessageFrame = 1;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);

    private readonly Dictionary<NodeId, Link> _links = [];
    private readonly Lock _gate = new();

    /// <summary>What is to be said to one peer. <see cref="InHand"/> belongs to the carrier and is not yet written.</summary>
    private sealed class Link
    {
        /// <summary><c>null</c>: nothing to be said yet, but the conversation is to be open.</summary>
        public Channel<PeerMessage?> Waiting { get; } = Channel.CreateBounded<PeerMessage?>(
            new BoundedChannelOptions(QueueMax) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

        public PeerMessage? InHand { get; set; }

        public bool IsEmpty => InHand is null && Waiting.Reader.Count == 0;
    }

    public void Send(NodeId peer, PeerMessage message) => Enqueue(peer, message);

    /// <summary>Opens the conversation, or keeps it open: something may have to be said soon.</summary>
    public void Prepare(NodeId peer) => Enqueue(peer, null);

    private void Enqueue(NodeId peer, PeerMessage? message)
    {
        lock (_gate)
        {
            if (_links.TryGetValue(peer, out var link))
            {
                link.Waiting.Writer.TryWrite(message);
                return;
            }
            _links[peer] = link = new Link();
            link.Waiting.Writer.TryWrite(message);
            _ = CarryAsync(peer, link);
        }
    }

    /// <summary>Reads control messages until the peer ends the conversation; not faster than they are handled, so that no peer can fill
    /// this node's memory.</summary>
    /// <param name="unreadable">Told why the conversation ends when the peer sends what is no message.</param>
    public static async Task ServeAsync(
        IPeerConversation conversation, Func<PeerMessage, NodeId, ValueTask> handle, Func<string, NodeId, ValueTask> unreadable, CancellationToken cancel)
    {
        while (await conversation.ReceiveAsync(cancel) is { } frame)
        {
            if (Read(frame, out var why) is { } message)
            {
                await handle(message, conversation.Peer);
                continue;
            }
            await unreadable(why, conversation.Peer);
            throw new PeerException($"{conversation.Peer} {why}");
        }
    }

    private static PeerMessage? Read(PeerFrame frame, out string why)
    {
        why = $"sent frame {frame.Type} on a control conversation";
        if (frame.Type != MessageFrame)
            return null;
        try
        {
            why = "sent no control message: null";
            return JsonSerializer.Deserialize(frame.Body.Span, MeshJson.Default.PeerMessage);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException)
        {
            why = $"sent no control message: {error.Message}";
            return null;
        }
    }

    private async Task CarryAsync(NodeId peer, Link link)
    {
        bool progress;
        do
            progress = await ConverseAsync(peer, link);
        while (!IsRetired(peer, link, progress));
    }

    /// <summary>One conversation, until it is idle or over.</summary>
    /// <returns>Whether anything was said: a peer that only ever closes is not tried again.</returns>
    private async Task<bool> ConverseAsync(NodeId peer, Link link)
    {
        var progress = false;
        try
        {
            using var deadline = new CancellationTokenSource(ConnectTimeout, time);
            using var connecting = CancellationTokenSource.CreateLinkedTokenSource(stopping, deadline.Token);
            await using var conversation = await network.OpenAsync(peer, ConversationKind.Control, connecting.Token);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            var watching = WatchAsync(conversation, over);
            try
            {
                while (await HasMoreAsync(link, over.Token))
                {
                    await conversation.SendAsync(MessageFrame, JsonSerializer.SerializeToUtf8Bytes(link.InHand!, MeshJson.Default.PeerMessage), stopping);
                    link.InHand = null;
                    progress = true;
                }
            }
            finally
            {
                await over.CancelAsync();
                await watching;
            }
        }
        catch (PeerException error)
        {
            MeshLog.ControlLost(log, peer, error.Message);
        }
        catch (OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
                MeshLog.ControlLost(log, peer, "no answer in time");
        }
        return progress;
    }

    /// <summary>The receiver never answers here; that it has closed shows only to who reads. What is said next then takes a new conversation,
    /// and is not written to a peer that has restarted.</summary>
    private static async Task WatchAsync(IPeerConversation conversation, CancellationTokenSource over)
    {
        try
        {
            await conversation.ReceiveAsync(over.Token);
        }
        catch (Exception error) when (error is PeerException or OperationCanceledException)
        {
            // Lost, or no longer needed: over in any case.
        }
        await over.CancelAsync();
    }

    /// <summary>Nothing may slip in between the last look and the end of the link.</summary>
    private bool IsRetired(NodeId peer, Link link, bool progress)
    {
        lock (_gate)
            return (link.IsEmpty || !progress || stopping.IsCancellationRequested) && _links.Remove(peer);
    }

    /// <returns>Whether a message is in hand; <c>false</c> when the conversation is over or idle.</returns>
    private async Task<bool> HasMoreAsync(Link link, CancellationToken over)
    {
        using var timer = new CancellationTokenSource(Idle, time);
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(over, timer.Token);
        try
        {
            while (link.InHand is null && !over.IsCancellationRequested)
            {
                link.InHand = await link.Waiting.Reader.ReadAsync(idle.Token);
                timer.CancelAfter(Idle);
            }
            return !over.IsCancellationRequested;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
