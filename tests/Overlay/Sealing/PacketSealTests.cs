using System.Security.Cryptography;
using EdgeFirmware.Contracts.Wire;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Sealing;

public sealed class PacketSealTests : IDisposable
{
    private const ushort Index = 0x1234;
    private const ulong Wrap = 1 << 24;

    private static readonly byte[] There = Secret(1);
    private static readonly byte[] Back = Secret(2);

    private readonly PacketSeal _sender = new(There, Back);
    private readonly PacketSeal _receiver = new(Back, There);

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public void A_packet_costs_14_bytes_and_is_laid_out_as_written()
    {
        using var late = new PacketSeal(There, Back, 0x0102_0304);
        var packet = Seal(late, [1, 2, 3, 4, 5]);
        Assert.Equal(14 + 5, packet.Length);
        Assert.Equal([9, 0x12, 0x34, 0x02, 0x03, 0x04], packet[..6]);
        using var cipher = new AesCcm(There.AsSpan(0, 16));
        var plain = new byte[5];
        byte[] nonce = [.. There.AsSpan(16, 4), 0, 0, 0, 0, 1, 2, 3, 4];
        cipher.Decrypt(nonce, packet.AsSpan(6, 5), packet.AsSpan(11), plain, packet.AsSpan(0, 6));
        Assert.Equal([1, 2, 3, 4, 5], plain);
    }

    [Fact]
    public void What_was_sealed_is_opened_once()
    {
        var packet = Seal(_sender, [1, 2, 3]);
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, packet, out var plain));
        Assert.Equal([1, 2, 3], plain);
        Assert.Equal(PacketOutcome.Replayed, Open(_receiver, packet, out plain));
        Assert.Empty(plain);
    }

    [Fact]
    public void Both_directions_are_apart()
    {
        var packet = Seal(_sender, [1]);
        Assert.Equal(PacketOutcome.Forged, Open(_sender, packet, out _)); // reflected
        Assert.Equal(PacketOutcome.Genuine, Open(_sender, Seal(_receiver, [2]), out _));
    }

    [Fact]
    public void Every_changed_bit_is_noticed_and_moves_nothing()
    {
        var packet = Seal(_sender, [1, 2, 3, 4]);
        for (var bit = 0; bit < packet.Length * 8; bit++)
        {
            var forged = (byte[])packet.Clone();
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(PacketOutcome.Forged, Open(_receiver, forged, out _));
        }
        Assert.Equal(packet.Length * 8, _receiver.Forged);
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, packet, out _));
    }

    [Fact]
    public void A_packet_cut_or_stretched_anywhere_is_refused()
    {
        var packet = Seal(_sender, [1, 2, 3, 4, 5]);
        for (var length = 0; length < packet.Length; length++)
            Assert.Equal(length <= PacketSeal.Overhead ? PacketOutcome.Malformed : PacketOutcome.Forged, Open(_receiver, packet[..length], out _));
        Assert.Equal(PacketOutcome.Forged, Open(_receiver, [.. packet, 0], out _));
        Assert.Equal(PacketOutcome.Malformed, Open(_receiver, new byte[PacketSeal.PacketBytesMax + 1], out _));
    }

    [Fact]
    public void A_packet_holds_1_to_1218_bytes()
    {
        var packet = Seal(_sender, new byte[1218]);
        Assert.Equal(PacketSeal.PacketBytesMax, packet.Length);
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, packet, out var plain));
        Assert.Equal(1218, plain.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => Seal(_sender, new byte[1219]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Seal(_sender, []));
    }

    [Fact]
    public void Reordering_within_the_window_is_accepted_and_older_is_not()
    {
        var packets = Enumerable.Range(0, ReplayWindow.Width + 1).Select(i => Seal(_sender, [(byte)i])).ToArray();
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, packets[^1], out _));
        for (var i = packets.Length - 2; i >= 1; i--)
            Assert.Equal(PacketOutcome.Genuine, Open(_receiver, packets[i], out _));
        Assert.All(packets, packet => Assert.Equal(PacketOutcome.Replayed, Open(_receiver, packet, out _)));
        Assert.Equal(0, _receiver.Forged);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Across_2_to_the_24_packets_are_lost_reordered_and_repeated_as_anywhere(int seed)
    {
        var random = new Random(seed);
        using var sender = new PacketSeal(There, Back, Wrap - 1000);
        using var receiver = new PacketSeal(Back, There);
        Assert.Equal(PacketOutcome.Genuine, Open(receiver, Seal(sender, [0]), out _));
        var packets = Enumerable.Range(0, 3000).Select(i => (Bytes: Seal(sender, [(byte)i, (byte)(i >> 8)]), At: i + random.Next(500)))
            .Where(_ => random.Next(5) != 0).OrderBy(sent => sent.At).Select(sent => sent.Bytes).ToArray();
        Assert.All(packets, packet => Assert.Equal(PacketOutcome.Genuine, Open(receiver, packet, out _)));
        Assert.All(packets, packet => Assert.Equal(PacketOutcome.Replayed, Open(receiver, packet, out _)));
    }

    [Theory]
    [InlineData(5ul, 5 + Wrap / 2, PacketOutcome.Genuine)]
    [InlineData(5ul, 5 + Wrap, PacketOutcome.Forged)] // as it looks like the first one
    public void After_a_long_silence_packets_open_unless_half_the_range_was_lost(ulong before, ulong after, object outcome)
    {
        using var first = new PacketSeal(There, Back, before);
        using var later = new PacketSeal(There, Back, after);
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, Seal(first, [1]), out _));
        Assert.Equal(outcome, Open(_receiver, Seal(later, [1]), out _));
    }

    [Fact]
    public void A_session_is_due_after_2_to_the_23_packets_for_both_sides_and_over_after_2_to_the_26()
    {
        using var sender = new PacketSeal(There, Back, PacketSeal.SealedDue);
        Assert.True(sender.IsDue);
        Assert.False(_receiver.IsDue);
        Open(_receiver, Seal(sender, [1]), out _);
        Assert.True(_receiver.IsDue);
        using var worn = new PacketSeal(There, Back, PacketSeal.SealedMax - 1);
        Assert.NotEmpty(Seal(worn, [1]));
        Assert.Empty(Seal(worn, [1]));
        Assert.Equal(PacketSeal.SealedMax, worn.Sealed);
    }

    [Fact]
    public void Forgeries_make_a_session_due_and_end_it_long_after()
    {
        var forged = Seal(_receiver, [1]);
        _receiver.Forged = PacketSeal.ForgedDue - 1;
        Open(_receiver, forged, out _);
        Assert.True(_receiver.IsDue);
        Assert.Equal(PacketOutcome.Genuine, Open(_receiver, Seal(_sender, [1]), out _));
        _receiver.Forged = PacketSeal.ForgedMax - 1;
        Assert.Equal(PacketOutcome.Forged, Open(_receiver, forged, out _));
        Assert.Equal(PacketOutcome.WornOut, Open(_receiver, Seal(_sender, [1]), out _));
        Assert.Equal(PacketSeal.ForgedMax, _receiver.Forged);
    }

    [Fact]
    public void Replays_are_no_forgeries()
    {
        var packet = Seal(_sender, [1]);
        for (var i = 0; i < 10; i++)
            Open(_receiver, packet, out _);
        Assert.Equal(0, _receiver.Forged);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Noise_is_never_genuine(int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 5000; i++)
        {
            var bytes = new byte[random.Next(0, 1300)];
            random.NextBytes(bytes);
            var outcome = Open(_receiver, bytes, out _);
            Assert.True(outcome is PacketOutcome.Forged or PacketOutcome.Malformed, $"seed {seed}, round {i}: {outcome}");
        }
    }

    private static byte[] Secret(byte of) => [.. Enumerable.Range(0, PacketSeal.SecretBytes).Select(i => (byte)(of * 31 + i))];

    private static byte[] Seal(PacketSeal seal, byte[] plain)
    {
        var buffer = new byte[plain.Length + PacketSeal.Overhead];
        return buffer[..seal.Seal(9, Index, plain, buffer)];
    }

    private static PacketOutcome Open(PacketSeal seal, byte[] packet, out byte[] plain)
    {
        var buffer = new byte[2048];
        var outcome = seal.Open(packet, buffer, out var length);
        plain = buffer[..length];
        return outcome;
    }
}
