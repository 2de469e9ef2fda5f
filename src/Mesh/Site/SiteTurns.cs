using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Mesh.Site;

/// <summary>Turns of a <see cref="SiteExchange"/> as frames of a conversation.</summary>
public static class SiteTurns
{
    /// <returns><c>null</c> when the peer has ended.</returns>
    /// <exception cref="PeerException">The peer is gone, or sent what is no turn.</exception>
    public static async Task<IReadOnlyList<SiteMessage>?> ReceiveAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        var turn = new List<SiteMessage>();
        while (await conversation.ReceiveAsync(cancel) is { } frame)
        {
            turn.Add(SiteMessage.Read(frame.Type, frame.Body.Span)
                ?? throw new PeerException($"{conversation.Peer} sent frame {frame.Type}, which is no message between nodes of a site"));
            if (turn[^1] is SiteTurn)
                return turn;
            if (turn.Count > SiteMessage.TurnMax)
                throw new PeerException($"{conversation.Peer} sent more than {SiteMessage.TurnMax} messages in one turn");
        }
        return null;
    }

    public static async Task SendAsync(IPeerConversation conversation, IReadOnlyList<SiteMessage> turn, CancellationToken cancel)
    {
        foreach (var message in turn)
        {
            var (type, body) = message.Write();
            await conversation.SendAsync(type, body, cancel);
        }
    }
}
