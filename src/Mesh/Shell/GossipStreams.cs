using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Wire;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Gossip over streams, for members that datagrams do not reach: a firewall that lets only TCP pass, a path that loses most of what is not
/// sent again. One conversation a message, a few at once; what cannot be delivered is lost, as a datagram would be.</summary>
internal sealed class GossipStreams(IPeerNetwork network, TimeProvider time, ILogger log, CancellationToken stopping)
{
    private const int OpenMax = 4;
    private const int MessageBytesMax = 2048;
    private const byte MessageFrame = 1;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private int _open;

    /// <param name="heard">Called with each answer, on any thread.</param>
    public void Send(NodeId peer, GossipMessage message, IPEndPoint address, Action<GossipMessage, IPEndPoint> heard)
    {
        if (Interlocked.Increment(ref _open) <= OpenMax)
            _ = CarryAsync(peer, message, address, heard);
        else
            Interlocked.Decrement(ref _open);
    }

    /// <summary>Answers one conversation that a peer has opened.</summary>
    /// <param name="handle">Gives the answers of the core.</param>
    public static async Task ServeAsync(
        IPeerConversation conversation, Func<GossipMessage, Task<IReadOnlyList<GossipMessage>>> handle, CancellationToken cancel)
    {
        while (await conversation.ReceiveAsync(cancel) is { } frame)
            foreach (var answer in await handle(Read(frame, conversation.Peer)))
                await conversation.SendAsync(MessageFrame, Bytes(answer), cancel);
    }

    private async Task CarryAsync(NodeId peer, GossipMessage message, IPEndPoint address, Action<GossipMessage, IPEndPoint> heard)
    {
        try
        {
            using var deadline = new CancellationTokenSource(Patience, time);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping, deadline.Token);
            await using var conversation = await network.OpenAsync(peer, ConversationKind.Gossip, limit.Token);
            await conversation.SendAsync(MessageFrame, Bytes(message), limit.Token);
            while (await conversation.ReceiveAsync(limit.Token) is { } frame)
            {
                var answer = Read(frame, peer);
                heard(answer, address);
                if (answer is Ack)
                    return;
            }
        }
        catch (PeerException error)
        {
            MeshLog.StreamLost(log, peer, error.Message);
        }
        catch (OperationCanceledException)
        {
            if (!stopping.IsCancellationRequested)
                MeshLog.StreamLost(log, peer, "no answer in time");
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>On a stream it is certain who speaks.</summary>
    private static GossipMessage Read(PeerFrame frame, NodeId peer)
    {
        if (frame.Type != MessageFrame || frame.Body.Length > MessageBytesMax || GossipReader.Read(frame.Body.Span) is not { } message)
            throw new PeerException($"{peer} sent no gossip");
        return message.Sender == MemberTag.Of(peer) ? message : throw new PeerException($"{peer} speaks in the name of another");
    }

    private static byte[] Bytes(GossipMessage message)
    {
        var buffer = new byte[MessageBytesMax];
        return buffer[..GossipWriter.Write(message, buffer)];
    }
}
