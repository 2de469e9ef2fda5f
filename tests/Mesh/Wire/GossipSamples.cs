using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Wire;

internal static class GossipSamples
{
    public static readonly NodeId LongestName = NodeId.Parse(new string('n', 63) + "/02:42:ac:11:00:02");

    public static readonly Offer LargestOffer = Samples.Offer with
    {
        Why = new string('w', Offer.WhyLengthMax), Architecture = new string('a', Offer.NameLengthMax), Engine = new string('e', Offer.NameLengthMax),
        CanCheckpoint = true, Overloaded = true, Draining = true, Validity = Offer.ValidityMax, Links = LinkKinds.LowPan | LinkKinds.Wan,
        Outlook = new Outlook(1.25, 64 << 20, TimeSpan.FromSeconds(77), 0.33),
        Labels = Enumerable.Range(0, Offer.LabelsMax).Select(number => $"{number:00}".PadLeft(Offer.NameLengthMax, 'l')).ToList(),
    };

    public static readonly MemberNews LargestNews = new(MemberTag.Of(LongestName), MemberStatus.Suspect, 77, TagOf(9), Refused: true)
    {
        Identity = new MemberIdentity(LongestName, new IPEndPoint(IPAddress.Parse("fd00:1:2:3:4:5:6:7"), 65535), 4_000_000_000),
        Offer = Signed(LargestOffer, 4_000_000_000, new byte[64]),
    };

    public static readonly MemberNews[] News =
    [
        new(TagOf(1), MemberStatus.Alive, 0, default, Refused: false)
        {
            Identity = new MemberIdentity(Samples.Node(1), new IPEndPoint(IPAddress.Parse("10.1.0.1"), 7900), 1),
        },
        new(TagOf(2), MemberStatus.Dead, uint.MaxValue - 1, TagOf(1), Refused: false),
        new(TagOf(3), MemberStatus.Left, 3, default, Refused: false) { Offer = Signed(Samples.MessagingOnly, 1, []) },
        LargestNews,
    ];

    public static MemberTag TagOf(int number) => MemberTag.Of(Samples.Node(number));

    public static SignedOffer Signed(Offer offer, uint boot, byte[] signature) => new(boot, offer, OfferStatement.Write(boot, offer), signature);

    public static IEnumerable<GossipMessage> All()
    {
        var sender = TagOf(7);
        SummaryEntry[] entries = [new(TagOf(1), MemberStatus.Alive, 1, 2, 3), new(TagOf(2), MemberStatus.Left, 4, uint.MaxValue, 0)];
        GossipMessage[] kinds =
        [
            new Ping(sender, 5, TagOf(8)), new Ack(sender, ushort.MaxValue, uint.MaxValue, 7), new Nack(sender, 1, Refused: true),
            new PingRequest(sender, 6, TagOf(8), new IPEndPoint(IPAddress.IPv6Loopback, 7900)),
            new Gossip(sender), new Hello(sender), new View(sender), new Digest(sender, Enumerable.Range(0, Digest.PartsCount).Select(i => (uint)i).ToArray()),
            new Summary(sender, 3, default, new MemberTag(MemberTag.Max), entries), new Want(sender, [TagOf(1), TagOf(2)]),
        ];
        foreach (var kind in kinds)
            for (var count = 0; count <= News.Length; count++)
                yield return kind with { News = News[..count] };
    }

    public static byte[] Bytes(GossipMessage message)
    {
        var buffer = new byte[4096];
        return buffer[..GossipWriter.Write(message, buffer)];
    }

    /// <summary>Lists and arrays compare by reference in records: what was read is written again.</summary>
    public static void AssertSame(GossipMessage expected, GossipMessage? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.GetType(), actual.GetType());
        Assert.Equal(Bytes(expected), Bytes(actual));
    }
}
