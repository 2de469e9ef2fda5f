using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Site;

public sealed class KeyRingTests : IDisposable
{
    private static readonly Instant Start = new(1_000_000);
    private static readonly KeyRingTiming Timing = new();
    private readonly TestSite _site = new();

    public void Dispose() => _site.Dispose();

    [Fact]
    public void A_new_key_is_first_accepted_then_used_and_the_old_one_is_let_go_last()
    {
        var ring = new KeyRing(_site.Keys, Timing);
        Assert.Equal((1u, 1), (ring.SendWith, ring.Held.Count));
        Assert.True(ring.Accept(_site.Authority.SignNewKey(_site.Keys, false, 0), false, Start));
        Assert.Equal((1u, 2), (ring.SendWith, ring.Held.Count));
        Assert.False(ring.Advance(Start + Timing.Spread - TimeSpan.FromSeconds(1)));
        Assert.Equal(Start + Timing.Spread, ring.NextWakeup);
        Assert.True(ring.Advance(ring.NextWakeup));
        Assert.Equal((2u, 2), (ring.SendWith, ring.Held.Count));
        Assert.True(ring.Advance(ring.NextWakeup));
        Assert.Equal((2u, 1, Instant.Never), (ring.SendWith, ring.Held.Count, ring.NextWakeup));
    }

    [Fact]
    public void What_is_known_or_older_changes_nothing()
    {
        var second = _site.Authority.SignNewKey(_site.Keys, false, 0);
        var ring = new KeyRing(second, Timing);
        Assert.False(ring.Accept(second, false, Start));
        Assert.False(ring.Accept(_site.Keys, false, Start));
        Assert.Equal((2u, 2), (ring.SendWith, ring.Held.Count));
    }

    [Fact]
    public void A_node_that_was_away_for_twenty_keys_uses_the_newest_at_once()
    {
        var ring = new KeyRing(_site.Keys, Timing);
        var keys = _site.Keys;
        for (var i = 0; i < 20; i++)
            keys = _site.Authority.SignNewKey(keys, false, 0);
        ring.Accept(keys, false, Start);
        ring.Advance(ring.NextWakeup);
        Assert.Equal(21u, ring.SendWith);
        using var seal = new DatagramSeal(ring.Held, ring.SendWith); // which refuses keys that look the same
    }

    [Fact]
    public void Sixteen_keys_later_the_same_bits_mean_the_new_key()
    {
        var ring = new KeyRing(_site.Keys, Timing);
        var keys = _site.Keys;
        for (var i = 0; i < 16; i++)
            keys = _site.Authority.SignNewKey(keys, false, 0);
        ring.Accept(keys, false, Start);
        using var seal = new DatagramSeal(ring.Held, ring.SendWith); // which refuses keys that look the same
        ring.Advance(Start);
        Assert.Equal(17u, ring.SendWith);
    }

    [Fact]
    public void A_node_that_hears_of_a_key_when_others_use_it_does_not_wait()
    {
        var ring = new KeyRing(_site.Keys, Timing);
        ring.Accept(_site.Authority.SignNewKey(_site.Keys, false, 0), isInUse: true, Start);
        Assert.True(ring.Advance(Start));
        Assert.Equal((2u, 2), (ring.SendWith, ring.Held.Count));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void While_news_of_a_key_arrives_late_and_in_any_order_every_datagram_is_opened(int seed)
    {
        // Nodes hear of each of five keys at a random moment before the first of them uses it.
        var random = new Random(seed);
        var nodes = Enumerable.Range(0, 8).Select(_ => new KeyRing(_site.Keys, Timing)).ToArray();
        var seals = nodes.Select(node => new DatagramSeal(node.Held, node.SendWith)).ToArray();
        var keys = _site.Keys;
        var now = Start;
        for (var change = 0; change < 5; change++)
        {
            keys = _site.Authority.SignNewKey(keys, isUrgent: change % 2 == 1, 0);
            var spread = change % 2 == 1 ? Timing.SpreadUrgent : Timing.Spread;
            var heard = nodes.Select(_ => now + spread * (random.NextDouble() * 0.9)).ToArray();
            for (var end = now + Timing.Spread + Timing.Grace + TimeSpan.FromMinutes(2); now < end; now += TimeSpan.FromMilliseconds(700))
            {
                for (var i = 0; i < nodes.Length; i++)
                {
                    if (heard[i] <= now)
                        nodes[i].Accept(keys, false, now);
                    nodes[i].Advance(now);
                    seals[i].Use(nodes[i].Held, nodes[i].SendWith);
                }
                var (from, to) = (random.Next(nodes.Length), random.Next(nodes.Length));
                var datagram = new byte[64];
                var length = seals[from].Seal([1, 2, 3], datagram);
                var outcome = seals[to].Open(datagram.AsSpan(0, length), new byte[64], out _);
                Assert.True(outcome == OpenOutcome.Genuine, $"seed {seed}, change {change}: {outcome}");
            }
            Assert.All(nodes, node => Assert.Single(node.Held));
        }
        foreach (var seal in seals)
            seal.Dispose();
    }
}
