using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Tests.Sessions;

/// <summary>Single packets lost where it hurts most.</summary>
public sealed class LossTests
{
    private readonly Way _wan = Way.Wan();

    [Fact]
    public void What_was_dealt_with_late_is_known_to_its_sender_though_it_was_lost_that_it_was_said()
    {
        var pair = new Pair(1, _wan);
        pair.Right.IsBusy = true;
        pair.Run(1);
        Assert.True(pair.Left.Send(1, 7));
        pair.Run(1);
        _wan.LossLeft = 1;
        pair.Right.IsBusy = false;
        pair.Run(0.1); // said, and lost
        _wan.LossLeft = 0;
        pair.Run(5);
        Assert.Equal([7L], pair.Left.Delivered);
        Assert.True(pair.Left.Session.IsIdle);
    }

    [Fact]
    public void What_is_under_way_on_a_path_that_is_forgotten_goes_over_another()
    {
        var radio = Way.Radio();
        var pair = new Pair(2, _wan, radio);
        pair.Carrier(_wan, false);
        pair.Run(1);
        pair.Carrier(_wan, true);
        pair.Run(0.9);
        Assert.Equal("lowpan0", pair.Left.Session.Current!.LinkName);
        radio.LossRight = 1;
        var sent = 0;
        while (pair.Left.Session.Current!.LinkName == "lowpan0")
        {
            Assert.True(pair.Left.Send(1, sent++));
            pair.Run(0.01);
        }
        pair.Left.Session.Unlearn(radio.KeyTo(2), pair.Now);
        pair.Run(5);
        Assert.Equal(Enumerable.Range(0, sent).Select(number => (long)number), pair.Left.Delivered);
    }

    [Fact]
    public void Addresses_without_end_do_not_keep_a_true_one_out()
    {
        var pair = new Pair(3, _wan);
        pair.Run(3);
        var session = pair.Left.Session;
        for (var i = 0; i < 100; i++)
            Assert.NotNull(session.Learn(new PathKey(9, new IPEndPoint(IPAddress.Parse($"192.0.2.{i}"), 1)), "route", LinkKind.Other, pair.Now));
        Assert.Equal(SessionCore.PathsMax, session.Paths.Count);
        Assert.Contains(session.Current, session.Paths);
        Assert.Equal("wan0", session.Current!.LinkName);
    }

    [Fact]
    public void A_peer_that_does_not_wait_for_what_it_sent_to_be_dealt_with_fills_no_memory()
    {
        var lane = new ReceiveLane(1);
        var given = 0;
        for (var number = 0; number < 100_000; number++)
            lane.Take(new ChunkFrame(1, (ushort)number, true, true, new byte[1]), TimeSpan.Zero, 16, _ => given++, new Instant(number));
        Assert.Equal(SendLane.WindowChunks, given);
    }

    [Fact]
    public void Messages_of_nothing_do_not_wait_without_end()
    {
        var lane = new SendLane(1);
        var taken = 0;
        while (taken < 100_000 && lane.TryPut(new OutgoingMessage(default, taken)))
            taken++;
        Assert.InRange(taken, 1000, 20_000);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_window_of_each_path_counts_what_is_under_way_on_it_and_nothing_else(int seed)
    {
        var random = new Random(seed);
        var (other, radio) = (new Way("wlan0", 3, LinkKind.Wifi, 8), Way.Radio());
        var pair = new Pair(seed, _wan, other, radio);
        for (var (step, sent) = (0, 0); step < 1500; step++)
        {
            var way = pair.Ways[random.Next(pair.Ways.Length)];
            switch (random.Next(8))
            {
                case 0: pair.Carrier(way, !way.IsUp); break;
                case 1: way.IsBlackHole = !way.IsBlackHole; break;
                case 2: (way.LossLeft, way.LossRight) = (random.NextDouble() * 0.4, random.NextDouble() * 0.4); break;
                case 3: pair.Right.IsBusy = !pair.Right.IsBusy; break;
                default: pair.Left.Send((byte)random.Next(3), sent++, random.Next(4, 3000)); break;
            }
            pair.Run(random.NextDouble() * 0.05);
            foreach (var path in pair.Left.Session.Paths.Concat(pair.Right.Session.Paths))
                Assert.Equal(path.Load.CountUnderWay(), path.Load.UnderWay);
        }
        pair.Right.IsBusy = false;
        foreach (var way in pair.Ways)
        {
            (way.IsBlackHole, way.LossLeft, way.LossRight) = (false, 0, 0);
            pair.Carrier(way, true);
        }
        pair.Run(60);
        Assert.True(pair.Left.Session.IsIdle);
        Assert.All(pair.Left.Session.Paths, path => Assert.Equal(0, path.Load.UnderWay));
    }

    public static IEnumerable<object[]> Seeds => Enumerable.Range(1, 12).Select(seed => new object[] { seed });
}
