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
    public void An_offer_of_more_than_there_is_is_refused()
    {
        var lie = GossipSamples.LargestUpdate with { Offer = Samples.Offer with { CpuFreeCores = Samples.Offer.CpuCores + 1 } };
        Assert.Null(GossipReader.Read(GossipSamples.Bytes(new Gossip(Samples.Node(1)) { Updates = [lie] })));
    }

    [Fact]
    public void An_incarnation_that_cannot_be_refuted_is_refused() =>
        Assert.Null(GossipReader.Read(GossipSamples.Bytes(
            new Gossip(Samples.Node(1)) { Updates = [GossipSamples.LargestUpdate with { Incarnation = uint.MaxValue }] })));

    [Fact]
    public void More_updates_than_a_datagram_holds_are_refused()
    {
        var updates = Enumerable.Repeat(GossipSamples.LargestUpdate with { Offer = null }, MembershipCore.UpdatesMax + 1).ToList();
        Assert.Null(GossipReader.Read(GossipSamples.Bytes(new Gossip(Samples.Node(1)) { Updates = updates })));
    }

    private static void AssertBounded(GossipMessage message, int seed, int input)
    {
        var fits = message.Updates.Count <= MembershipCore.UpdatesMax && message.Sender.Value.Length > 0
            && message.Updates.All(update => update.Id.Value.Length > 0 && Enum.IsDefined(update.Status)
                && (update.Offer is not { } offer || (offer.Why.Length <= Offer.WhyLengthMax && Enum.IsDefined(offer.Level) && offer.PageBytes > 0)));
        Assert.True(fits, $"seed {seed}, input {input}: {message}");
    }

    private static byte[] Noise(Random random)
    {
        var bytes = new byte[random.Next(0, 200)];
        random.NextBytes(bytes);
        if (bytes.Length > 0)
            bytes[0] = (byte)random.Next(0, 7);
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
