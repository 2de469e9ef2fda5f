using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Mesh.Tests.Wire;

internal static class GossipSamples
{
    public static readonly NodeId LongestName = NodeId.Parse(new string('n', 63) + "/02:42:ac:11:00:02");

    public static readonly Offer LargestOffer = Samples.Offer with
    {
        Why = new string('w', Offer.WhyLengthMax), Architecture = new string('a', Offer.NameLengthMax), Engine = new string('e', Offer.NameLengthMax),
        CanCheckpoint = true, Overloaded = true,
    };

    public static readonly MemberUpdate LargestUpdate = new(
        LongestName, new IPEndPoint(IPAddress.Parse("fd00:1:2:3:4:5:6:7"), 65535), MemberStatus.Suspect, 77, 4_000_000_000, LargestOffer);

    private static readonly MemberUpdate[] Updates =
    [
        new(Samples.Node(1), new IPEndPoint(IPAddress.Parse("10.1.0.1"), 7900), MemberStatus.Alive, 0, 1, null),
        new(Samples.Node(2), new IPEndPoint(IPAddress.Parse("10.1.0.2"), 1), MemberStatus.Dead, uint.MaxValue - 1, uint.MaxValue, Samples.Offer),
        new(Samples.Node(3), new IPEndPoint(IPAddress.Parse("fe80::1"), 7900), MemberStatus.Left, 3, 9, Samples.MessagingOnly),
        LargestUpdate,
    ];

    public static IEnumerable<GossipMessage> All()
    {
        GossipMessage[] kinds =
        [
            new Ping(Samples.Node(7), 5, Samples.Node(8)), new Ack(Samples.Node(7), uint.MaxValue),
            new PingRequest(LongestName, 6, LongestName, new IPEndPoint(IPAddress.IPv6Loopback, 7900)),
            new Sync(Samples.Node(7), WantsReply: true), new Sync(Samples.Node(7), WantsReply: false), new Gossip(Samples.Node(7)),
        ];
        foreach (var kind in kinds)
            for (var count = 0; count <= Updates.Length; count++)
                yield return kind with { Updates = Updates[..count] };
    }

    public static byte[] Bytes(GossipMessage message)
    {
        var buffer = new byte[4096];
        return buffer[..EdgeFirmware.Mesh.Wire.GossipWriter.Write(message, buffer)];
    }

    /// <summary>Lists compare by reference in records.</summary>
    public static void AssertSame(GossipMessage expected, GossipMessage? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Updates, actual.Updates);
        Assert.Equal(expected with { Updates = actual.Updates }, actual);
    }
}
