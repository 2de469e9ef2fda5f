using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Writes a gossip message as docs/protocol.md describes it.</summary>
internal static class GossipWriter
{
    internal const byte RefusedFlag = 0x04;
    internal const byte IdentityFlag = 0x08;
    internal const byte OfferFlag = 0x10;

    /// <returns>Bytes written.</returns>
    public static int Write(GossipMessage message, Span<byte> buffer)
    {
        var writer = new WireWriter(buffer);
        writer.Byte((byte)TypeOf(message));
        writer.Tag(message.Sender);
        switch (message)
        {
            case Ping ping:
                writer.UInt16(ping.Sequence);
                writer.Tag(ping.Target);
                break;
            case Ack ack:
                writer.UInt16(ack.Sequence);
                writer.UInt32(ack.View);
                writer.UInt32(ack.Records);
                break;
            case Nack nack:
                writer.UInt16(nack.Sequence);
                writer.Byte(nack.Refused ? (byte)1 : (byte)0);
                break;
            case PingRequest request:
                writer.UInt16(request.Sequence);
                writer.Tag(request.Target);
                writer.Endpoint(request.TargetAddress);
                break;
            case Digest digest:
                foreach (var part in digest.Parts)
                    writer.UInt32(part);
                break;
            case Summary summary:
                WriteSummary(ref writer, summary);
                break;
            case Want want:
                writer.Byte((byte)want.Members.Count);
                foreach (var member in want.Members)
                    writer.Tag(member);
                break;
        }
        writer.Byte((byte)message.News.Count);
        foreach (var news in message.News)
            WriteNews(ref writer, news);
        return writer.Length;
    }

    private static GossipType TypeOf(GossipMessage message) => message switch
    {
        Ping => GossipType.Ping,
        Ack => GossipType.Ack,
        Nack => GossipType.Nack,
        PingRequest => GossipType.PingRequest,
        Hello => GossipType.Hello,
        View => GossipType.View,
        Digest => GossipType.Digest,
        Summary => GossipType.Summary,
        Want => GossipType.Want,
        _ => GossipType.Gossip,
    };

    private static void WriteSummary(ref WireWriter writer, Summary summary)
    {
        writer.Byte(summary.Part);
        writer.Tag(summary.From);
        writer.Tag(summary.To);
        writer.Byte((byte)summary.Entries.Count);
        foreach (var entry in summary.Entries)
        {
            writer.Tag(entry.Member);
            writer.Byte((byte)entry.Status);
            writer.UInt32(entry.Incarnation);
            writer.UInt32(entry.Boot);
            writer.UInt32(entry.Offer);
        }
    }

    private static void WriteNews(ref WireWriter writer, MemberNews news)
    {
        writer.Byte((byte)((int)news.Status | (news.Refused ? RefusedFlag : 0) | (news.Identity is null ? 0 : IdentityFlag) | (news.Offer is null ? 0 : OfferFlag)));
        writer.Tag(news.Member);
        writer.UInt32(news.Incarnation);
        if (news.HasBy)
            writer.Tag(news.By);
        if (news.Identity is { } identity)
        {
            writer.Text(identity.Id.Value);
            writer.Endpoint(identity.Address);
            writer.UInt32(identity.Boot);
        }
        if (news.Offer is not { } offer)
            return;
        writer.UInt16((ushort)offer.Statement.Length);
        writer.Byte((byte)offer.Signature.Length);
        writer.Bytes(offer.Statement);
        writer.Bytes(offer.Signature);
    }
}

/// <summary>First byte of a decrypted datagram.</summary>
internal enum GossipType : byte
{
    Ping = 1,
    Ack = 2,
    Nack = 3,
    PingRequest = 4,
    Gossip = 5,
    Hello = 6,
    View = 7,
    Digest = 8,
    Summary = 9,
    Want = 10,
}
