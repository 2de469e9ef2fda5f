using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Tests.Wire;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Membership;

/// <summary>What a member may say that is not so.</summary>
public sealed class FaultyWordTests
{
    private static readonly IPEndPoint Somewhere = new(IPAddress.Parse("10.1.0.9"), 7900);
    private readonly Instant _now = new(1_000_000_000);
    private readonly MembershipCore _core;

    public FaultyWordTests() => _core = Core(new LabIdentity());

    [Fact]
    public void Whoever_says_that_this_node_is_dead_hears_of_its_life()
    {
        Hear(new Gossip(Tag(2)) { News = [Joined(2), new MemberNews(Tag(1), MemberStatus.Dead, 4, Tag(2), Refused: false)] });
        var word = _core.Outbox.SelectMany(outgoing => outgoing.Message.News).First(news => news.Member == Tag(1));
        Assert.Equal((MemberStatus.Alive, 5u), (word.Status, word.Incarnation));
    }

    [Fact]
    public void A_death_that_is_only_remembered_is_settled_by_the_member_itself()
    {
        Hear(new Gossip(Tag(2)) { News = [Joined(2), Joined(3)] });
        _core.Outbox.Clear();
        Hear(new View(Tag(2)) { News = [new MemberNews(Tag(3), MemberStatus.Dead, 0, Tag(2), Refused: false)] });
        Assert.Equal(MemberStatus.Alive, _core.Members(_now).Single(member => member.Id == Samples.Node(3)).Status);
        Assert.Contains(_core.Outbox, outgoing => outgoing.To!.Equals(SimulatedMesh.AddressOf(3)));
    }

    [Fact]
    public void A_tag_that_is_not_the_names_own_is_refused_and_told()
    {
        Hear(new Gossip(Tag(2)) { News = [Joined(3) with { Member = Tag(4) }] });
        Assert.Empty(_core.Members(_now));
        Assert.Equal(Samples.Node(3), _core.Faults.Single().Member);
    }

    [Fact]
    public void An_offer_in_another_nodes_name_is_not_believed_and_told()
    {
        var core = Core(new Notary(SignatureVerdict.Forged));
        core.Handle(new Gossip(Tag(2)) { News = [Joined(2), Offering(2)] }, Somewhere, _now);
        Assert.Null(core.Members(_now).Single().Offer);
        Assert.Equal(Samples.Node(2), core.Faults.Single().Member);
    }

    [Fact]
    public void An_offer_whose_signer_is_not_known_yet_waits_for_the_certificate()
    {
        var notary = new Notary(SignatureVerdict.Unknown);
        var core = Core(notary);
        core.Handle(new Gossip(Tag(2)) { News = [Joined(2), Offering(2)] }, Somewhere, _now);
        Assert.Null(core.Members(_now).Single().Offer);
        notary.Verdict = SignatureVerdict.Genuine;
        core.IdentitiesChanged(_now);
        Assert.NotNull(core.Members(_now).Single().Offer);
    }

    [Fact]
    public void An_offer_of_an_earlier_run_is_not_believed()
    {
        Hear(new Gossip(Tag(2)) { News = [Joined(2), Offering(2, boot: 99)] });
        Assert.Null(_core.Members(_now).Single().Offer);
    }

    [Fact]
    public void More_members_than_the_bound_are_not_kept()
    {
        var core = new MembershipCore(
            Samples.Node(1), SimulatedMesh.AddressOf(1), [], MembershipProfile.Lan with { MembersMax = 3 }, new LabIdentity(), new Random(1), _now);
        for (var number = 2; number < 10; number++)
            core.Handle(new Gossip(Tag(2)) { News = [Joined(number)] }, Somewhere, _now);
        Assert.Equal(3, core.Members(_now).Count);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_is_read_is_handled_and_what_is_sent_stays_within_bounds(int seed)
    {
        var random = new Random(seed);
        var samples = GossipSamples.All().Select(GossipSamples.Bytes).ToArray();
        var core = Core(new LabIdentity());
        var now = _now;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])samples[random.Next(samples.Length)].Clone();
            for (var changes = random.Next(4); changes > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (GossipReader.Read(bytes) is not { } message)
                continue;
            now += TimeSpan.FromMilliseconds(random.Next(20));
            core.Handle(message, Somewhere, now);
            core.Advance(now);
            Assert.True(core.Outbox.Count < 600, $"seed {seed}, input {i}: {core.Outbox.Count} datagrams for one");
            while (core.Outbox.TryDequeue(out var outgoing))
                Assert.True(GossipSamples.Bytes(outgoing.Message).Length + DatagramSeal.Overhead <= MembershipProfile.Lan.DatagramBytesMax, $"seed {seed}, input {i}");
            core.Changes.Clear();
        }
        Assert.True(core.Members(now).Count <= MembershipProfile.Lan.MembersMax);
    }

    private static MemberTag Tag(int number) => GossipSamples.TagOf(number);

    private static MemberNews Joined(int number) => new(Tag(number), MemberStatus.Alive, 0, default, Refused: false)
    {
        Identity = new MemberIdentity(Samples.Node(number), SimulatedMesh.AddressOf(number), 7),
    };

    private static MemberNews Offering(int number, uint boot = 7) => new(Tag(number), MemberStatus.Alive, 0, default, Refused: false)
    {
        Offer = GossipSamples.Signed(Samples.Offer, boot, []),
    };

    private MembershipCore Core(ISiteIdentity identity) =>
        new(Samples.Node(1), SimulatedMesh.AddressOf(1), [], MembershipProfile.Lan, identity, new Random(1), _now);

    private void Hear(GossipMessage message) => _core.Handle(message, Somewhere, _now);

    private sealed class Notary(SignatureVerdict verdict) : ISiteIdentity
    {
        public SignatureVerdict Verdict { get; set; } = verdict;

        public byte[] Sign(ReadOnlySpan<byte> statement) => [];

        public SignatureVerdict Verify(NodeId signer, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) => Verdict;
    }
}
