namespace EdgeFirmware.Mesh.Site;

/// <summary>What two nodes of a site say to keep in step; the first byte of the frame tells which. The opener speaks first, then both take
/// turns; a turn ends with <see cref="SiteTurn"/>.</summary>
public abstract record SiteMessage
{
    /// <summary>Certificates asked for in one turn; the rest is asked for in the next conversation.</summary>
    public const int WantedMax = 256;

    /// <summary>Messages in one turn.</summary>
    public const int TurnMax = WantedMax + 16;

    private const int WhyBytesMax = 200;
    private const int RequestBytesMax = 2048;

    /// <returns><c>null</c> for what is no such message.</returns>
    public static SiteMessage? Read(byte type, ReadOnlySpan<byte> body)
    {
        var reader = new SiteReader(body);
        SiteMessage? read = type switch
        {
            1 => ReadSummary(ref reader),
            2 => new SiteRevocations(reader.Bytes(SignedDocument.BytesMax)),
            3 => new SiteKeys(reader.Bytes(SignedDocument.BytesMax)),
            4 => new SiteMembers(ReadPrints(ref reader, MemberDirectory.MembersMax)),
            5 => new SiteWanted(ReadPrints(ref reader, WantedMax)),
            6 => new SiteMember(reader.Bytes(Certificate.BytesMax)),
            7 => new SiteRenewal(reader.Bytes(RequestBytesMax)),
            8 => new SiteRefusal(reader.Text(WhyBytesMax)),
            9 => new SiteTurn(),
            _ => null,
        };
        return reader.IsDone ? read : null;
    }

    /// <returns>The frame's type and body.</returns>
    public (byte Type, byte[] Body) Write() => this switch
    {
        SiteSummary summary => (1, new SiteWriter().U32(summary.Revocations).U32(summary.Keys).U32(summary.SendsWith).U8((byte)((summary.Issues ? 1 : 0) | (summary.Clock is null ? 0 : 2)))
            .U64((ulong)(summary.Clock ?? 0)).U64(summary.Members).ToArray()),
        SiteRevocations list => (2, new SiteWriter().Bytes(list.Document).ToArray()),
        SiteKeys keys => (3, new SiteWriter().Bytes(keys.Document).ToArray()),
        SiteMembers members => (4, WritePrints(members.Prints)),
        SiteWanted wanted => (5, WritePrints(wanted.Prints)),
        SiteMember member => (6, new SiteWriter().Bytes(member.Certificate).ToArray()),
        SiteRenewal renewal => (7, new SiteWriter().Bytes(renewal.CertificateRequest).ToArray()),
        SiteRefusal refusal => (8, new SiteWriter().Text(refusal.Why).ToArray()),
        SiteTurn => (9, []),
        _ => throw new InvalidOperationException($"{GetType().Name} is never sent"),
    };

    private static SiteSummary ReadSummary(ref SiteReader reader)
    {
        var (revocations, keys, sendsWith, flags) = (reader.U32(), reader.U32(), reader.U32(), reader.U8());
        var clock = (long)reader.U64();
        return new SiteSummary(revocations, keys, sendsWith, (flags & 2) != 0 && clock is >= 0 and <= SiteSummary.ClockMax ? clock : null, (flags & 1) != 0, reader.U64());
    }

    private static ulong[] ReadPrints(ref SiteReader reader, int most)
    {
        var prints = new ulong[reader.Count(most, 8)];
        for (var i = 0; i < prints.Length; i++)
            prints[i] = reader.U64();
        return prints;
    }

    private static byte[] WritePrints(IReadOnlyList<ulong> prints)
    {
        var writer = new SiteWriter().U16((ushort)prints.Count);
        foreach (var print in prints)
            writer.U64(print);
        return writer.ToArray();
    }
}

/// <summary>What the sender has.</summary>
/// <param name="Revocations">Number of its revocation list; 0 for none.</param>
/// <param name="Keys">Number of its set of gossip keys.</param>
/// <param name="SendsWith">The gossip key it seals with.</param>
/// <param name="Clock">What its own clock says, milliseconds since 1970, or <c>null</c> when that is known to be wrong.</param>
/// <param name="Issues">It holds the authority and renews certificates.</param>
/// <param name="Members">See <see cref="MemberDirectory.Digest"/>.</param>
public sealed record SiteSummary(uint Revocations, uint Keys, uint SendsWith, long? Clock, bool Issues, ulong Members) : SiteMessage
{
    /// <summary>The year 9999.</summary>
    public const long ClockMax = 253_402_300_799_000;
}

public sealed record SiteRevocations(byte[] Document) : SiteMessage;

public sealed record SiteKeys(byte[] Document) : SiteMessage;

/// <param name="Prints">See <see cref="MemberDirectory.PrintOf"/>.</param>
public sealed record SiteMembers(IReadOnlyList<ulong> Prints) : SiteMessage;

public sealed record SiteWanted(IReadOnlyList<ulong> Prints) : SiteMessage;

public sealed record SiteMember(byte[] Certificate) : SiteMessage;

/// <summary>The answer is a <see cref="SiteMember"/> or a <see cref="SiteRefusal"/>.</summary>
/// <param name="CertificateRequest">PKCS#10, for the key that the asker has already.</param>
public sealed record SiteRenewal(byte[] CertificateRequest) : SiteMessage;

public sealed record SiteRefusal(string Why) : SiteMessage;

/// <summary>The other side's turn.</summary>
public sealed record SiteTurn : SiteMessage;
