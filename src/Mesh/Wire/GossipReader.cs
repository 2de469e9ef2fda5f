using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Wire;

/// <summary>Reads what <see cref="GossipWriter"/> wrote. Anything else, from anyone, is <c>null</c>.</summary>
internal static class GossipReader
{
    public static GossipMessage? Read(ReadOnlySpan<byte> data)
    {
        var reader = new WireReader(data);
        var type = (GossipType)reader.Byte();
        var sender = reader.Tag();
        GossipMessage? message = type switch
        {
            GossipType.Ping => new Ping(sender, reader.UInt16(), reader.Tag()),
            GossipType.Ack => new Ack(sender, reader.UInt16(), reader.UInt32(), reader.UInt32()),
            GossipType.Nack => new Nack(sender, reader.UInt16(), reader.Byte() != 0),
            GossipType.PingRequest => new PingRequest(sender, reader.UInt16(), reader.Tag(), reader.Endpoint()),
            GossipType.Gossip => new Gossip(sender),
            GossipType.Hello => new Hello(sender),
            GossipType.View => new View(sender),
            GossipType.Digest => ReadDigest(ref reader, sender),
            GossipType.Summary => ReadSummary(ref reader, sender),
            GossipType.Want => ReadWant(ref reader, sender),
            _ => null,
        };
        int count = reader.Byte();
        if (message is null || reader.HasFailed)
            return null;
        if (count > 0)
        {
            var news = new List<MemberNews>(count);
            for (var i = 0; i < count && !reader.HasFailed; i++)
                if (ReadNews(ref reader) is { } one)
                    news.Add(one);
            message = message with { News = news };
        }
        return reader.IsAtEnd ? message : null;
    }

    private static Digest ReadDigest(ref WireReader reader, MemberTag sender)
    {
        var parts = new uint[Digest.PartsCount];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = reader.UInt32();
        return new Digest(sender, parts);
    }

    private static Summary ReadSummary(ref WireReader reader, MemberTag sender)
    {
        var part = reader.Byte();
        var (from, to) = (reader.Tag(), reader.Tag());
        int count = reader.Byte();
        var entries = new List<SummaryEntry>();
        for (var i = 0; i < count && !reader.HasFailed; i++)
        {
            var entry = new SummaryEntry(reader.Tag(), (MemberStatus)reader.Byte(), reader.UInt32(), reader.UInt32(), reader.UInt32());
            if (entry.Status > MemberStatus.Left || entry.Incarnation == uint.MaxValue)
                reader.Fail();
            entries.Add(entry);
        }
        if (part >= Digest.PartsCount)
            reader.Fail();
        return new Summary(sender, part, from, to, entries);
    }

    private static Want ReadWant(ref WireReader reader, MemberTag sender)
    {
        int count = reader.Byte();
        if (count > MembershipCore.WantsMax)
            reader.Fail();
        var members = new List<MemberTag>();
        for (var i = 0; i < count && !reader.HasFailed; i++)
            members.Add(reader.Tag());
        return new Want(sender, members);
    }

    private static MemberNews? ReadNews(ref WireReader reader)
    {
        var flags = reader.Byte();
        var status = (MemberStatus)(flags & 0x03);
        var member = reader.Tag();
        var incarnation = reader.UInt32();
        // The last incarnation cannot be refuted: nobody may claim it.
        if (flags >> 5 != 0 || incarnation == uint.MaxValue)
            reader.Fail();
        var refused = (flags & GossipWriter.RefusedFlag) != 0;
        var by = status is MemberStatus.Suspect or MemberStatus.Dead ? reader.Tag() : default;
        MemberIdentity? identity = null;
        if ((flags & GossipWriter.IdentityFlag) != 0)
        {
            var (id, address, boot) = (reader.Node(), reader.Endpoint(), reader.UInt32());
            if (reader.HasFailed)
                return null;
            identity = new MemberIdentity(id, address, boot);
        }
        var offer = (flags & GossipWriter.OfferFlag) != 0 ? ReadOffer(ref reader) : null;
        return reader.HasFailed ? null : new MemberNews(member, status, incarnation, by, refused) { Identity = identity, Offer = offer };
    }

    private static SignedOffer? ReadOffer(ref WireReader reader)
    {
        int length = reader.UInt16();
        int signatureLength = reader.Byte();
        if (length > SignedOffer.StatementBytesMax || signatureLength > ISiteIdentity.SignatureBytesMax)
            reader.Fail();
        var statement = reader.Bytes(length);
        var signature = reader.Bytes(signatureLength);
        if (!reader.HasFailed && OfferStatement.Read(statement, out var boot) is { } offer)
            return new SignedOffer(boot, offer, statement.ToArray(), signature.ToArray());
        reader.Fail();
        return null;
    }
}
