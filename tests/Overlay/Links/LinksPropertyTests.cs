using System.Net;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Links;
using static EdgeFirmware.Overlay.Tests.Links.Bench;

namespace EdgeFirmware.Overlay.Tests.Links;

public sealed class LinksPropertyTests
{
    [Theory]
    [InlineData(0.1, 1, 0)]
    [InlineData(0.1, 2, 0)]
    [InlineData(0.1, 3, 0)]
    [InlineData(0.3, 4, 6)]
    [InlineData(0.3, 5, 6)]
    public void A_link_that_loses_packets_by_chance_does_not_flap(double lossEachWay, int seed, int lostMaxIn10Minutes)
    {
        var random = new Random(seed);
        bool Passes() => random.NextDouble() >= lossEachWay && random.NextDouble() >= lossEachWay;
        var bench = new Bench(Target) { Network = request => Passes() ? request.IsGateway ? Refused() : Accepted(15 + random.NextDouble() * 20) : Silent() };
        bench.Kernel(Wan());
        bench.Run(30);
        var before = bench.Events.Count;
        bench.Run(3600);
        var lost = bench.Told.Skip(before).Count(kind => kind is "reach-changed site" or "reach-changed none");
        Assert.True(lost <= lostMaxIn10Minutes * 6, $"seed {seed}: lost {lost} times in an hour");
    }

    [Theory]
    [InlineData(LinkKind.SixLowpan, 1)]
    [InlineData(LinkKind.SixLowpan, 2)]
    public void Probes_keep_to_half_a_percent_of_a_radio_channel_whatever_happens(LinkKind kind, int seed)
    {
        var random = new Random(seed);
        var bench = new Bench(Target) { Network = _ => random.Next(3) == 0 ? Accepted() : Silent() };
        bench.Kernel(Wan(kind));
        for (var step = 0; step < 600; step++)
        {
            bench.Run(random.NextDouble() * 10);
            bench.Core.Doubt(2, bench.Now);
            if (random.Next(10) == 0)
                bench.Kernel(Wan(kind) with { HasCarrier = random.Next(2) == 0 });
        }
        var seconds = (bench.Now - new Contracts.Instant(1_000_000)).TotalSeconds;
        var bytes = bench.Asked.Count * (double)ProbeBudget.ProbeBytes;
        Assert.True(bytes <= seconds * ProbeBudget.BytesPerSecond + 7 * ProbeBudget.ProbeBytes, $"seed {seed}: {bytes} bytes in {seconds:0} s");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Whatever_the_kernel_and_the_network_do_the_picture_stays_sane(int seed)
    {
        var random = new Random(seed);
        var bench = new Bench(random.Next(2) == 0 ? [Target, OtherTarget] : []);
        bench.Network = _ => Any(random);
        for (var step = 0; step < 3000; step++)
        {
            var index = random.Next(2, 6);
            if (random.Next(12) == 0)
                bench.Remove(index);
            else if (random.Next(3) == 0)
                bench.Kernel(Changed(index, random));
            if (random.Next(5) == 0)
                bench.Core.Answer(random.Next(0, 50), Any(random), bench.Now);
            var asked = bench.Asked.Count;
            var started = bench.Now;
            bench.Run(random.NextDouble());
            foreach (var view in bench.Core.Views())
            {
                var isUsable = view.Kernel is { IsUp: true, HasCarrier: true, Addresses.Count: > 0 };
                Assert.True(isUsable || view.Reach == Reachability.None, $"seed {seed}, step {step}: {view}");
                Assert.NotEqual("", view.Why);
                Assert.InRange(view.Loss ?? 0, 0, 1);
                Assert.InRange(view.RoundTrip ?? TimeSpan.Zero, TimeSpan.Zero, RoundTripEstimate.PatienceMax);
            }
            Assert.True(bench.Asked.Count - asked <= 8 + 4 * 2 * 4 * (bench.Now - started).TotalSeconds, $"seed {seed}, step {step}: {bench.Asked.Count - asked} probes");
            Assert.All(bench.Asked.Skip(asked), one => Assert.True(one.Request.Link is { IsUp: true, HasCarrier: true, Addresses.Count: > 0 }));
        }
        // Told and believed are the same in the end.
        foreach (var view in bench.Core.Views())
            Assert.Equal(view.Reach.ToString().ToLowerInvariant(),
                bench.Events.LastOrDefault(one => one.Event.Kind == "reach-changed" && one.Event.Subject == view.Kernel.Name).Event?.Details!["to"] ?? "none");
    }

    private static ProbeAnswer Any(Random random) => random.Next(6) switch
    {
        0 => Refused(),
        1 => Silent(random.Next(2) == 0),
        2 => Neighbour(),
        3 => new ProbeAnswer(ProbeOutcome.NotSent),
        _ => Accepted(random.NextDouble() * 400),
    };

    private static KernelLink Changed(int index, Random random)
    {
        var link = Wan((LinkKind)(index % 5), index, $"l{index}");
        return link with
        {
            IsUp = random.Next(6) != 0, HasCarrier = random.Next(5) != 0,
            Addresses = random.Next(5) == 0 ? [] : link.Addresses,
            Routes = random.Next(4) == 0 ? [] : [link.Routes[0] with { Gateway = random.Next(4) == 0 ? null : IPAddress.Parse($"10.0.0.{random.Next(1, 4)}") }],
        };
    }
}
