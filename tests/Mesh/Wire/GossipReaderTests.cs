using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Wire;

public sealed class GossipReaderTests
{
    private const int Inputs = 50_000;

    [Fact]
    public void Every_message_is_read_as_it_was_written()
    {
        foreach (var message in GossipSamples.All())
            GossipSamples.AssertSame(message, GossipReader.Read(GossipSamples.Bytes(message)));
    }

    [Fact]
    public void A_message_cut_anywhere_or_with_a_tail_is_refused()
    {
        foreach (var message in GossipSamples.All())
        {
            var bytes = GossipSamples.Bytes(message);
            for (var length = 0; length < bytes.Length; length++)
                Assert.Null(GossipReader.Read(bytes.AsSpan(0, length)));
            Assert.Null(GossipReader.Read([.. bytes, 0]));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_bytes_and_mutations_never_throw_and_never_pass_the_bounds(int seed)
    {
        var random = new Random(seed);
        var samples = GossipSamples.All().Select(GossipSamples.Bytes).ToArray();
        var accepted = 0;
        for (var i = 0; i < Inputs; i++)
        {
            var bytes = i % 4 == 0 ? Noise(random) : Mutate(samples[random.Next(samples.Length)], random);
            if (GossipReader.Read(bytes) is not { } message)
                continue;
            accepted++;
            AssertBounded(message, seed, i);
            GossipSamples.AssertSame(message, GossipReader.Read(GossipSamples.Bytes(message)));
        }
        Assert.InRange(accepted, 1, Inputs / 2); // the mutations do reach the inside of messages
    }

    [Fact]
    public void What_a_message_takes_is_known_before_it_is_written()
    {
        foreach (var message in GossipSamples.All())
            Assert.Equal(message.WireBytes + message.News.Sum(news => news.WireBytes), GossipSamples.Bytes(message).Length);
    }

    [Fact]
    public void An_offer_is_read_as_it_was_written()
    {
        foreach (var offer in new[] { Samples.Offer, Samples.MessagingOnly, GossipSamples.LargestOffer })
        {
            var read = OfferStatement.Read(OfferStatement.Write(7, offer), out var boot);
            Assert.Equal(7u, boot);
            Assert.Equal(offer.Labels, read!.Labels);
            Assert.Equal(offer, read with { Labels = offer.Labels });
        }
    }

    [Fact]
    public void An_offer_of_more_than_there_is_is_refused()
    {
        var statement = OfferStatement.Write(1, Samples.Offer);
        statement[12] = 0; // cores
        statement[13] = 1;
        Assert.Null(OfferStatement.Read(statement, out _));
        Assert.Null(GossipReader.Read(GossipSamples.Bytes(new Gossip(GossipSamples.TagOf(1))
        {
            News = [GossipSamples.News[1] with { Offer = new SignedOffer(1, Samples.Offer, statement, []) }],
        })));
    }

    [Fact]
    public void An_incarnation_that_cannot_be_refuted_is_refused() =>
        Assert.Null(GossipReader.Read(GossipSamples.Bytes(
            new Gossip(GossipSamples.TagOf(1)) { News = [GossipSamples.LargestNews with { Incarnation = uint.MaxValue }] })));

    private static void AssertBounded(GossipMessage message, int seed, int input)
    {
        var fits = message.News.All(news => Enum.IsDefined(news.Status)
            && (news.Offer is not { } offer || (offer.Offer.Why.Length <= Offer.WhyLengthMax && Enum.IsDefined(offer.Offer.Level)
                && offer.Offer.PageBytes > 0 && offer.Offer.Labels.Count <= Offer.LabelsMax)));
        Assert.True(fits, $"seed {seed}, input {input}: {message}");
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(0, 200)];
        random.NextBytes(bytes);
        if (bytes.Length > 0)
            bytes[0] = (byte)random.Next(0, 12);
        return bytes;
    }

    private static byte[] Mutate(byte[] sample, Random random)
    {
        var bytes = (byte[])sample.Clone();
        for (var changes = random.Next(1, 4); changes > 0; changes--)
            bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
        return bytes;
    }
}
