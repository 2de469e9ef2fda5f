using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Tests.Placement;

public sealed class PlacementPolicyTests
{
    private static readonly Offer Fit = Samples.Offer;

    public static TheoryData<Offer?, string> Unfit => new()
    {
        { null, "no valid offer heard" },
        { Samples.MessagingOnly, "level 0: no container engine answers" },
        { Fit with { Level = CollaborationLevel.Storage, Why = "overloaded" }, "level 1: overloaded" },
        { Fit with { Architecture = "amd64" }, "image is for arm64, node is amd64" },
        { Fit with { CpuFreeCores = 0.1 }, "needs 0.10 cores, 0.10 free" },
        { Fit with { MemoryFreeBytes = 64L << 20 }, "needs 64 MiB, 64 free" },
        { Fit with { Draining = true }, "it is being drained" },
        { Fit with { CpuFreeCores = 1, Outlook = new Outlook(0.95, 0, null, 0) }, "needs 0.10 cores, 1.00 free, 0.95 of it likely used soon" },
        { Fit with { Outlook = new Outlook(0, 560L << 20, null, 0) }, "needs 64 MiB, 600 free, 560 of it likely used soon" },
        { Fit with { Outlook = new Outlook(0, 0, TimeSpan.FromSeconds(40), 0) }, "it runs out of resources within 40 s" },
    };

    [Theory]
    [MemberData(nameof(Unfit))]
    public void A_node_that_cannot_run_it_is_unfit_and_says_why(Offer? offer, string why)
    {
        var verdict = PlacementPolicy.Judge(Samples.Workload(), Samples.Node(1), offer, TimeSpan.Zero, "arm64");
        Assert.False(verdict.IsFit);
        Assert.Equal(why, verdict.Why);
    }

    [Theory]
    [InlineData(10, 5, true)]
    [InlineData(10, 9.5, false)]
    [InlineData(0, 10_000, true)]
    public void A_latency_bound_excludes_nodes_too_far_away(double boundMilliseconds, double roundTripMilliseconds, bool fit)
    {
        var spec = Samples.Workload() with { LatencyMillisecondsMax = boundMilliseconds };
        Assert.Equal(fit, PlacementPolicy.Judge(spec, Samples.Node(1), Fit, TimeSpan.FromMilliseconds(roundTripMilliseconds), "").IsFit);
    }

    [Fact]
    public void Nearer_and_emptier_is_better_and_the_lower_name_breaks_a_tie()
    {
        var ranked = PlacementPolicy.Rank(
        [
            Judge(4, Fit, 2), Judge(3, Fit, 2), Judge(1, Fit with { CpuFreeCores = 1 }, 2), Judge(2, Fit, 20), Judge(5, Samples.MessagingOnly, 0),
        ]);
        Assert.Equal([Samples.Node(3), Samples.Node(4), Samples.Node(1), Samples.Node(2)], ranked.Select(candidate => candidate.Node));
    }

    [Fact]
    public void The_scarcer_of_processor_and_memory_counts()
    {
        var judged = Judge(1, Fit with { MemoryFreeBytes = 128L << 20 }, 2);
        Assert.True(judged.Cost > Judge(2, Fit, 2).Cost);
        Assert.Equal(("memory", 128 / 1024.0, 64 / 1024.0, 64 / 1024.0), (judged.Terms!.Scarce, judged.Terms.Capability, judged.Terms.Need, judged.Terms.Left));
    }

    public static TheoryData<Offer> Worse => new()
    {
        Fit with { Outlook = new Outlook(1.5, 0, null, 0) },
        Fit with { Outlook = new Outlook(0, 400L << 20, null, 0) },
        Fit with { Outlook = new Outlook(0, 0, TimeSpan.FromMinutes(2), 0) },
        Fit with { Outlook = new Outlook(0, 0, null, 0.5) },
        Fit with { PageBytes = 16384 },
        Fit with { Labels = ["cellar"] },
        Fit with { Links = LinkKinds.LowPan },
    };

    [Theory]
    [MemberData(nameof(Worse))]
    public void What_a_node_foresees_lacks_or_cannot_carry_makes_it_worse_but_not_unfit(Offer offer)
    {
        var what = new PlacementCase(Samples.Workload() with { Prefers = ["roof"] }, "arm64") { PageBytes = 4096 };
        var move = new MoveBurden(MoveBurden.BytesAssumed, MoveBurden.FreezeAssumed, MoveBurden.ResidenceMin);
        var plain = PlacementPolicy.Judge(what, Samples.Node(1), Fit with { Labels = ["roof"], Links = LinkKinds.Wired }, Latency.Of(2), move);
        var worse = PlacementPolicy.Judge(
            what, Samples.Node(1), offer with { Labels = offer.Labels.Count == 0 ? ["roof"] : offer.Labels, Links = offer.Links | (offer.Links == 0 ? LinkKinds.Wired : 0) },
            Latency.Of(2), move);
        Assert.True(worse.IsFit);
        Assert.True(worse.Cost > plain.Cost * 1.2, $"{worse.Cost} and {plain.Cost}");
    }

    [Theory]
    [InlineData(0.19, 1)]
    [InlineData(0.5, 4.1)]
    [InlineData(0.8, 64)]
    [InlineData(1, 1000)]
    public void The_likelier_it_fails_the_worse_it_is_and_noise_does_not_count(double failure, double risk) =>
        Assert.Equal(risk, Judge(1, Fit with { Outlook = new Outlook(0, 0, null, failure) }, 2).Terms!.Risk, 0.1);

    [Theory]
    [InlineData("roof", true)]
    [InlineData("cellar", false)]
    [InlineData("node=gate-1", true)]
    [InlineData("node=gate-2", false)]
    [InlineData("arch=arm64", true)]
    [InlineData("page=4096", true)]
    [InlineData("page=16384", false)]
    [InlineData("link=wired", true)]
    [InlineData("link=wan", false)]
    [InlineData("zone=5", true)]
    public void A_required_label_is_the_operators_or_one_that_the_offer_implies(string label, bool fit)
    {
        var spec = Samples.Workload() with { Requires = [label] };
        var verdict = PlacementPolicy.Judge(spec, Samples.Node(1), Fit with { Labels = ["roof", "zone=5"], Links = LinkKinds.Wired }, TimeSpan.Zero, "");
        Assert.Equal((fit, fit ? verdict.Why : $"it has no label {label}"), (verdict.IsFit, verdict.Why));
    }

    [Fact]
    public void Staying_is_possible_with_nothing_left_and_ends_with_a_label_that_is_lost()
    {
        var what = new PlacementCase(Samples.Workload() with { Requires = ["roof"] }, "");
        var full = Fit with { CpuFreeCores = 0, Level = CollaborationLevel.Storage, Labels = ["roof"] };
        var stays = PlacementPolicy.JudgeStaying(what, Samples.Node(1), full, Latency.Of(1));
        Assert.Equal((true, 100), (stays.IsFit, stays.Cost));
        Assert.Equal(500, PlacementPolicy.JudgeStaying(what, Samples.Node(1), full with { Overloaded = true }, Latency.Of(1)).Cost);
        Assert.Equal("it has lost the label roof", PlacementPolicy.JudgeStaying(what, Samples.Node(1), Fit, Latency.Of(1)).Why);
    }

    [Fact]
    public void What_cannot_be_is_unfit_and_harms_nothing()
    {
        foreach (var value in new[] { double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, -1 })
            foreach (var offer in new[] { Fit with { CpuFreeCores = value }, Fit with { CpuCores = value }, Fit with { Outlook = new Outlook(value, -1, TimeSpan.MinValue, value) } })
                foreach (var judged in new[] { Judge(1, offer, 1), PlacementPolicy.JudgeStaying(new PlacementCase(Samples.Workload(), ""), Samples.Node(1), offer, Latency.Of(1)) })
                    Assert.True(!judged.IsFit || double.IsFinite(judged.Cost) && double.IsFinite(judged.Terms!.Capability) && double.IsFinite(judged.Terms.Foreseen));
    }

    [Theory]
    [InlineData(1, 0.5)] // heard there
    [InlineData(2, 4.5)] // the way between two others: the longer of the ways to them
    [InlineData(3, 4.5)]
    [InlineData(4, 9.5)]
    public void Latency_is_counted_from_where_the_data_is_heard(int candidate, double milliseconds)
    {
        double RoundTrip(NodeId node) => node == Samples.Node(3) ? 0 : node == Samples.Node(1) ? 4 : node == Samples.Node(2) ? 1 : 9;
        InputSource[] sources = [new(Samples.Workload().Id, Samples.Node(1), 1)];
        Assert.Equal(milliseconds, Latency.From(sources, Samples.Node(candidate), RoundTrip, fromHere: 7).Mean);
    }

    [Fact]
    public void Of_several_sources_the_mean_counts_for_the_cost_and_the_farthest_for_the_bound()
    {
        InputSource[] sources = [new(Samples.Workload().Id, Samples.Node(1), 0.7), new(Samples.Workload().Id, Samples.Node(2), 0.29), new(Samples.Workload().Id, Samples.Node(9), 0.01)];
        var latency = Latency.From(sources, Samples.Node(1), node => node == Samples.Node(2) ? 10 : node == Samples.Node(9) ? 1000 : 0, 7);
        Assert.Equal(0.5 + 2.9 + 10, latency.Mean, 6);
        Assert.Equal(10.5, latency.Worst);
        Assert.Equal(7.5, Latency.From([], Samples.Node(1), _ => 0, fromHere: 7).Mean);
    }

    [Fact]
    public void A_move_costs_less_the_longer_it_lasts_and_more_over_a_thin_link()
    {
        var move = new MoveBurden(50 << 20, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Assert.Equal(0.83 + (2 * 4.77 / 600), move.Milliseconds(2, LinkKinds.Wired), 0.01);
        Assert.True((move with { Residence = TimeSpan.FromHours(1) }).Milliseconds(2, LinkKinds.Wired) < 0.2);
        Assert.True(move.Milliseconds(2, LinkKinds.LowPan) > 14);
        Assert.True((move with { Bytes = MoveBurden.BytesWithoutImage }).Milliseconds(2, LinkKinds.LowPan) < 1);
    }

    private static Candidate Judge(int node, Offer offer, double milliseconds) =>
        PlacementPolicy.Judge(Samples.Workload(), Samples.Node(node), offer, TimeSpan.FromMilliseconds(milliseconds), "arm64");
}
