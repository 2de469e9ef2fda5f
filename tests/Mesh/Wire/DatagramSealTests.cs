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
        var datagrams = Enumerable.Range(0, 65).Select(i => Seal([(byte)i])).ToArray();
        Assert.Equal(OpenOutcome.Genuine, Open(_receiver, datagrams[64], out _));
        for (var i = 63; i >= 1; i--)
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

    [Fact]
    public void Random_datagrams_are_never_genuine()
    {
        var random = new Random(3);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(0, 1300)];
            random.NextBytes(bytes);
            if (bytes.Length > 0)
                bytes[0] = 1;
            Assert.NotEqual(OpenOutcome.Genuine, Open(_receiver, bytes, out _));
        }
    }

    private static byte[] Key(byte of) => Enumerable.Repeat(of, DatagramSeal.KeyBytes).ToArray();

    private byte[] Seal(byte[] plain)
    {
        var buffer = new byte[plain.Length + DatagramSeal.Overhead];
        return buffer[.._sender.Seal(plain, buffer)];
    }

    private static OpenOutcome Open(DatagramSeal seal, byte[] datagram, out byte[] plain)
    {
        var buffer = new byte[2048];
        var outcome = seal.Open(datagram, buffer, out var length);
        plain = outcome == OpenOutcome.Genuine ? buffer[..length] : [];
        return outcome;
    }
}
