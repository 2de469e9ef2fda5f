using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Advertisement;
using Xunit.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Advertisement;

public sealed class OfferPolicyTests(ITestOutputHelper output)
{
    private const int Bytes = 185;
    private const int Nodes = 32;
    private const long Mega = 1L << 20;

    private static readonly OfferBudget Lan = OfferBudget.Lan;
    private static readonly Offer Said = Samples.Offer with { CpuCores = 4, CpuFreeCores = 3, MemoryBytes = 1000 * Mega, MemoryFreeBytes = 600 * Mega };

    public static TheoryData<string, Offer> AtOnce => new()
    {
        { "level", Said with { Level = CollaborationLevel.Storage } },
        { "overload", Said with { Overloaded = true } },
        { "draining", Said with { Draining = true } },
        { "engine", Said with { Engine = "podman 5" } },
        { "labels", Said with { Labels = ["roof"] } },
    };

    [Theory]
    [MemberData(nameof(AtOnce))]
    public void What_changes_a_placement_is_said_at_once(string what, Offer changed)
    {
        var policy = Speaking();
        Assert.True(policy.IsWorthSending(changed, Bytes, At(1)), what);
        Assert.False(policy.IsWorthSending(changed, Bytes, At(2)));
    }

    public static TheoryData<string, Offer> AfterAWhile => new()
    {
        { "cpu less", Said with { CpuFreeCores = 2.1 } },
        { "cpu more", Said with { CpuFreeCores = 3.9 } },
        { "memory", Said with { MemoryFreeBytes = 400 * Mega } },
        { "disk", Said with { DiskFreeBytes = Said.DiskFreeBytes * 3 / 4 } },
        { "links", Said with { Links = LinkKinds.Wireless } },
        { "failure", Said with { Outlook = new Outlook(0, 0, null, 0.2) } },
        { "exhaustion", Said with { Outlook = new Outlook(0, 0, TimeSpan.FromMinutes(3), 0) } },
        { "foreseen need", Said with { Outlook = new Outlook(0, 200 * Mega, null, 0) } },
    };

    [Theory]
    [MemberData(nameof(AfterAWhile))]
    public void A_figure_is_said_when_it_is_far_off_and_stays_there(string what, Offer changed)
    {
        var policy = Speaking();
        for (var second = 1; second <= 20; second++)
            Assert.False(policy.IsWorthSending(changed, Bytes, At(second)), what);
        Assert.True(policy.IsWorthSending(changed, Bytes, At(21)), what);
    }

    [Fact]
    public void A_figure_that_comes_back_in_between_starts_anew()
    {
        var policy = Speaking();
        for (var second = 1; second < 100; second++)
            Assert.False(policy.IsWorthSending(second % 20 == 0 ? Said : Said with { CpuFreeCores = 1 }, Bytes, At(second)));
    }

    [Fact]
    public void Small_changes_wait_for_the_repeat_and_the_repeat_comes_twice_while_the_offer_holds()
    {
        var sent = new List<int>();
        var policy = Speaking();
        for (var second = 1; second < 3600; second++)
            if (policy.IsWorthSending(Said with { CpuFreeCores = 2.3 }, Bytes, At(second)))
                sent.Add(second);
        Assert.Equal(8, sent.Count);
        for (var i = 2; i < sent.Count; i++)
            Assert.True(sent[i] - sent[i - 2] < Lan.Validity.TotalSeconds);
        Assert.True(2 * 1.05 * OfferBudget.LowPower.Repeat < OfferBudget.LowPower.Validity);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20251121)]
    public void However_much_flaps_the_budget_holds(int seed)
    {
        foreach (var budget in (OfferBudget[])[OfferBudget.Lan, OfferBudget.LowPower])
        {
            var random = new Random(seed);
            var policy = new OfferPolicy(budget, random, default);
            var spent = 0;
            const int hours = 4;
            for (var second = 0; second < hours * 3600; second++)
            {
                var offer = Said with
                {
                    Level = (CollaborationLevel)random.Next(3), Overloaded = random.Next(2) == 0, CpuFreeCores = random.NextDouble() * 4,
                };
                if (policy.IsWorthSending(offer, Bytes, At(second)))
                    spent += Bytes;
            }
            var repeats = hours * 3600 / (budget.Repeat.TotalSeconds * 0.95);
            output.WriteLine($"seed {seed}: {spent / (hours * 3600.0):0.00} of {budget.BytesPerSecond} B/s");
            Assert.InRange(spent, 1, budget.BurstBytes + (budget.BytesPerSecond * hours * 3600) + ((repeats + 1) * Bytes));
        }
    }

    /// <summary>Idle boards: a few percent of load with a burst every few minutes (cron, a compaction), memory that wanders with the page cache.</summary>
    [Theory]
    [InlineData("Lan", 60)]
    [InlineData("LowPower", 10)]
    public void Thirty_two_idle_nodes_stay_within_their_share_of_the_radio(string profile, double bytesPerSecondMax)
    {
        var budget = profile == "Lan" ? OfferBudget.Lan : OfferBudget.LowPower;
        const int seconds = 6 * 3600;
        var offers = 0;
        for (var node = 0; node < Nodes; node++)
        {
            var random = new Random(100 + node);
            var policy = new OfferPolicy(budget, random, default);
            var noise = new IdleBoard(random);
            for (var second = 0; second < seconds; second++)
                if (policy.IsWorthSending(noise.Measure(At(second)), Bytes, At(second)))
                    offers++;
        }
        var perNode = offers * (double)Bytes * OfferBudget.CopiesHeard / seconds;
        output.WriteLine($"{profile}: {offers / (double)Nodes / 6:0.00} offers a node and hour, {perNode:0.0} B/s a node");
        Assert.True(perNode <= bytesPerSecondMax, $"{perNode:0.0} B/s");
    }

    [Theory]
    [InlineData(33)]
    [InlineData(200)]
    [InlineData(1000)]
    [InlineData(4096)]
    public void In_a_larger_site_each_node_says_less_and_what_it_says_holds_longer(int nodes)
    {
        foreach (var budget in (OfferBudget[])[OfferBudget.Lan, OfferBudget.LowPower])
        {
            var policy = new OfferPolicy(budget, new Random(nodes), default) { Nodes = nodes };
            var sent = new List<int>();
            for (var second = 0; second < 5 * 24 * 3600; second += 2)
                if (policy.IsWorthSending(Said, Bytes, At(second)))
                    sent.Add(second);
            Assert.True(policy.Validity <= Offer.ValidityMax);
            for (var i = 2; i < sent.Count; i++)
                Assert.True(sent[i] - sent[i - 2] < policy.Validity.TotalSeconds);
            if (policy.Validity < Offer.ValidityMax)
                Assert.True(nodes * (double)Bytes * OfferBudget.CopiesHeard / (sent[^1] / (double)(sent.Count - 1)) < (budget == OfferBudget.Lan ? 60 : 10));
        }
    }

    private static OfferPolicy Speaking()
    {
        var policy = new OfferPolicy(Lan, new Random(1), default);
        Assert.True(policy.IsWorthSending(Said, Bytes, default));
        return policy;
    }

    private static Instant At(int second) => default(Instant) + TimeSpan.FromSeconds(second);

    private sealed class IdleBoard(Random random)
    {
        private static readonly MachineDescription Machine = new("arm64", 4096, 4, 1000 * Mega, "", "", "");

        private readonly ReadingFilter _filter = new(ReadingFilter.Lasting);
        private double _free = 600;
        private int _burst;
        private Offer? _last;

        public Offer Measure(Instant now)
        {
            if (_burst == 0 && random.Next(240) == 0)
                _burst = random.Next(2, 8);
            var load = _burst > 0 ? 0.9 : 0.03 + (0.1 * random.NextDouble());
            _burst = Math.Max(0, _burst - 1);
            _free = Math.Clamp(_free + (8 * (random.NextDouble() - 0.5)), 520, 680);
            var reading = new ResourceReading(4, load, 0, 1000 * Mega, (long)(_free * Mega), 0, 16_000 * Mega, 8_000 * Mega);
            return _last = OfferCalculator.Calculate(new OfferSources(_filter.Observe(reading, now), Machine), _last);
        }
    }
}
