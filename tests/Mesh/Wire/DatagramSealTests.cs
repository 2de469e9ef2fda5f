using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Wire;

public sealed class DatagramSealTests : IDisposable
{
    private readonly DatagramSeal _sender = new(Key(1));
    private readonly DatagramSeal _receiver = new(Key(1));

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public void What_was_sealed_is_opened_once()
    {
        var datagram = Seal([1, 2, 3]);
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, datagram, out var plain));
        Assert.Equal([1, 2, 3], plain);
        Assert.Equal(OpenOutcome.Replayed, Open(_receiver, datagram, out _));
    }

    [Fact]
    public void Every_changed_bit_is_noticed()
    {
        var datagram = Seal([1, 2, 3, 4]);
        for (var bit = 0; bit < datagram.Length * 8; bit++)
        {
            var forged = (byte[])datagram.Clone();
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(OpenOutcome.Genuine, Open(_receiver, forged, out _));
        }
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, datagram, out _)); // and none of them used up its counter
    }

    [Fact]
    public void Another_sites_key_opens_nothing()
    {
        using var stranger = new DatagramSeal(Key(2));
        Assert.Equal(OpenOutcome.Forged, Open(stranger, Seal([1]), out _));
    }

    [Fact]
    public void A_datagram_cut_anywhere_is_refused()
    {
        var datagram = Seal([1, 2, 3, 4, 5]);
        for (var length = 0; length < datagram.Length; length++)
            Assert.NotEqual(OpenOutcome.Genuine, Open(_receiver, datagram[..length], out _));
    }

    [Fact]
    public void Reordering_within_the_window_is_accepted_and_older_is_not()
    {
        var datagrams = Enumerable.Range(0, 1025).Select(i => Seal([(byte)i])).ToArray();
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, datagrams[1024], out _));
        for (var i = 1023; i >= 1; i--)
            Assert.Equal(OpenOutcome.Genuine, Open(_receiver, datagrams[i], out _));
        Assert.Equal(OpenOutcome.Replayed, Open(_receiver, datagrams[0], out _));
        foreach (var datagram in datagrams)
            Assert.Equal(OpenOutcome.Replayed, Open(_receiver, datagram, out _));
    }

    [Fact]
    public void Two_runs_of_a_node_do_not_shadow_each_other()
    {
        using var restarted = new DatagramSeal(Key(1));
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, Seal([1]), out _));
        var buffer = new byte[100];
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, buffer[..restarted.Seal([1], buffer)], out _));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(64)]
    [InlineData(1500)]
    public void In_any_order_each_counter_is_taken_once(int spread)
    {
        var random = new Random(spread);
        var datagrams = Enumerable.Range(0, 3000).Select(i => (Bytes: Seal([(byte)i]), At: i + random.Next(spread))).OrderBy(sent => sent.At).ToArray();
        var taken = datagrams.Count(sent => Open(_receiver, sent.Bytes, out _) == OpenOutcome.Genuine);
        Assert.InRange(taken, spread < 1024 ? datagrams.Length : datagrams.Length * 2 / 3, datagrams.Length);
        Assert.All(datagrams, sent => Assert.Equal(OpenOutcome.Replayed, Open(_receiver, sent.Bytes, out _)));
    }

    [Fact]
    public void A_datagram_costs_29_bytes_more_than_what_it_carries() => Assert.Equal(29 + 5, Seal([1, 2, 3, 4, 5]).Length);

    [Fact]
    public void When_the_counter_has_run_out_a_new_salt_is_drawn_and_datagrams_still_open()
    {
        _sender.Sent = uint.MaxValue - 1;
        var last = Seal([1]);
        var next = Seal([1]);
        Assert.NotEqual(last[1..9], next[1..9]);
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, last, out _));
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, next, out _));
    }

    [Fact]
    public void A_key_is_taken_before_it_is_sent_with_and_let_go_after()
    {
        GossipKey old = new(3, Key(1)), fresh = new(4, Key(2));
        using var sender = new DatagramSeal([old], 3);
        using var receiver = new DatagramSeal([old], 3);
        var before = Seal(sender, [1]);
        receiver.Use([old, fresh], 3);
        Assert.Equal(OpenOutcome.Genuine, Open(receiver, before, out _));
        sender.Use([old, fresh], 4);
        var after = Seal(sender, [2]);
        Assert.Equal(OpenOutcome.Genuine, Open(receiver, after, out _));
        Assert.Equal(OpenOutcome.Replayed, Open(receiver, before, out _)); // known through the change
        receiver.Use([fresh], 4);
        Assert.Equal(OpenOutcome.UnknownKey, Open(receiver, before, out _));
        Assert.Equal(OpenOutcome.Replayed, Open(receiver, after, out _));
    }

    [Fact]
    public void A_key_with_a_number_that_looks_the_same_takes_the_others_place()
    {
        using var seal = new DatagramSeal([new GossipKey(1, Key(1))], 1);
        var old = Seal(seal, [1]);
        seal.Use([new GossipKey(17, Key(2))], 17);
        Assert.Equal(OpenOutcome.Forged, Open(seal, old, out _));
        Assert.Equal(OpenOutcome.Genuine, Open(seal, Seal(seal, [1]), out _));
        Assert.Throws<ArgumentException>(() => seal.Use([new GossipKey(1, Key(1)), new GossipKey(17, Key(2))], 17));
        Assert.Throws<ArgumentException>(() => seal.Use([new GossipKey(1, Key(1))], 2));
    }

    [Fact]
    public void Random_datagrams_are_never_genuine()
    {
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(0, 1300)];
            random.NextBytes(bytes);
            if (bytes.Length > 0)
                bytes[0] = 0x20;
            Assert.NotEqual(OpenOutcome.Genuine, Open(_receiver, bytes, out _));
        }
    }

    private static byte[] Key(byte of) => Enumerable.Repeat(of, DatagramSeal.KeyBytes).ToArray();

    private byte[] Seal(byte[] plain) => Seal(_sender, plain);

    private static byte[] Seal(DatagramSeal seal, byte[] plain)
    {
        var buffer = new byte[plain.Length + DatagramSeal.Overhead];
        return buffer[..seal.Seal(plain, buffer)];
    }

    private static OpenOutcome Open(DatagramSeal seal, byte[] datagram, out byte[] plain)
    {
        var buffer = new byte[2048];
        var outcome = seal.Open(datagram, buffer, out var length);
        plain = outcome == OpenOutcome.Genuine ? buffer[..length] : [];
        return outcome;
    }
}
