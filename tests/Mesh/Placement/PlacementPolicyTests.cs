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
    public void The_scarcer_of_processor_and_memory_counts() =>
        Assert.True(Judge(1, Fit with { MemoryFreeBytes = 128L << 20 }, 2).Cost > Judge(2, Fit, 2).Cost);

    private static Candidate Judge(int node, Offer offer, double milliseconds) =>
        PlacementPolicy.Judge(Samples.Workload(), Samples.Node(node), offer, TimeSpan.FromMilliseconds(milliseconds), "arm64");
}
