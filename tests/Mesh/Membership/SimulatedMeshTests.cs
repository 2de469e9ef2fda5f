using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Negotiation;
using Xunit.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Membership;

public sealed class SimulatedMeshTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(3, 3)]
    [InlineData(32, 5)]
    public void Nodes_that_know_only_the_seeds_find_each_other(int nodes, double secondsMax)
    {
        var mesh = new SimulatedMesh(seed: nodes);
        mesh.Add(nodes);
        Assert.True(mesh.RunUntil(mesh.IsOneView, secondsMax), $"seed {nodes}: not one view");
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(16, 2)]
    [InlineData(32, 3)]
    public void A_crash_is_known_to_all_within_the_bound(int nodes, int seed)
    {
        var mesh = Joined(nodes, seed);
        var crashed = mesh.Events.Now;
        mesh.Crash(nodes);
        // SWIM: in the mean e/(e-1) periods until somebody probes it, the suspicion, and the time gossip takes.
        var bound = (mesh.Profile.ProbePeriod * 4) + (mesh.Profile.SuspicionMin * MembershipProfile.ScaleOf(nodes));
        Assert.True(mesh.RunUntil(mesh.IsOneView, bound.TotalSeconds), $"seed {seed}: not known to all within {bound}");
        output.WriteLine($"{nodes} nodes: {(mesh.Events.Now - crashed).TotalSeconds:0.0} s");
    }

    [Fact]
    public void With_one_datagram_in_twenty_lost_nobody_is_declared_dead_in_an_hour()
    {
        const int Seed = 5;
        var mesh = Joined(16, Seed);
        mesh.Links.Loss = 0.05;
        mesh.Changes.Clear();
        mesh.Run(3600);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
        output.WriteLine($"seed {Seed}: {mesh.Events.Done} events, {mesh.Changes.Count(change => change.What.Status == MemberStatus.Suspect)} suspicions seen");
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(30)]
    public void A_node_that_restarts_under_its_name_is_alive_again(double secondsAway)
    {
        var mesh = Joined(5, seed: 6);
        mesh.Crash(3);
        mesh.Run(secondsAway);
        mesh.Start(3);
        Assert.True(mesh.RunUntil(mesh.IsOneView, 10));
        mesh.Run(10);
        Assert.True(mesh.IsOneView());
    }

    [Fact]
    public void A_node_that_restarts_elsewhere_is_found_there()
    {
        var mesh = Joined(5, seed: 7);
        mesh.Crash(4);
        mesh.Run(20);
        mesh.Start(4, SimulatedMesh.AddressOf(200));
        Assert.True(mesh.RunUntil(mesh.IsOneView, 10));
        Assert.All(mesh.Stations.Where(station => station.Id != Samples.Node(4)), station =>
            Assert.Equal(SimulatedMesh.AddressOf(200), station.Core!.AddressOf(Samples.Node(4))));
    }

    [Fact]
    public void A_node_that_says_goodbye_has_left_and_is_not_dead()
    {
        var mesh = Joined(8, seed: 8);
        mesh.Leave(5);
        mesh.Run(10);
        foreach (var by in new[] { 1, 2, 3, 4, 6, 7, 8 })
            Assert.Equal(MemberStatus.Left, mesh.View(by, 5)!.Status);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
    }

    [Fact]
    public void Two_halves_that_were_apart_for_a_minute_become_one_view()
    {
        var mesh = Joined(32, seed: 9);
        mesh.Links.Partition(Enumerable.Range(17, 16).Select(Samples.Node));
        mesh.Run(60);
        Assert.Equal(MemberStatus.Dead, mesh.View(1, 32)!.Status);
        Assert.Equal(MemberStatus.Alive, mesh.View(1, 16)!.Status);
        mesh.Links.Heal();
        Assert.True(mesh.RunUntil(mesh.IsOneView, 15), "seed 9: not one view");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(8)]
    public void When_a_partition_heals_nobody_is_taken_for_dead_longer_than_a_rescue_waits(int nodes)
    {
        var longest = TimeSpan.Zero;
        for (var seed = 100; seed < 140; seed++)
        {
            var mesh = Joined(nodes, seed);
            mesh.Links.Partition(Enumerable.Range(nodes - (seed % (nodes - 1)), nodes).Select(Samples.Node));
            mesh.Run(30 + seed % 10);
            var healed = mesh.Events.Now;
            mesh.Links.Heal();
            Assert.True(mesh.RunUntil(mesh.IsOneView, 15), $"seed {seed}");
            longest = new[] { longest, LongestDoubt(mesh, healed) }.Max();
        }
        output.WriteLine($"{nodes} nodes: {longest.TotalSeconds:0.00} s");
        Assert.True(longest < new NegotiationTiming().RescueConfirmation, $"{longest}");
    }

    /// <summary>How long anybody took a member for dead since it died or another came back.</summary>
    private static TimeSpan LongestDoubt(SimulatedMesh mesh, Instant healed)
    {
        var longest = TimeSpan.Zero;
        foreach (var heard in mesh.Changes.GroupBy(change => change.By))
        {
            var dead = new Dictionary<NodeId, Instant>();
            Instant? lastReturn = null;
            foreach (var (_, at, what) in heard)
                if (what.Status == MemberStatus.Dead)
                    dead.TryAdd(what.Id, at);
                else if (dead.Remove(what.Id, out var since))
                {
                    var doubtful = lastReturn is { } back && back > since ? back : since;
                    if (doubtful >= healed)
                        longest = new[] { longest, at - doubtful }.Max();
                    lastReturn = at;
                }
        }
        return longest;
    }

    [Fact]
    public void A_member_whose_direct_link_is_cut_is_saved_by_indirect_probes()
    {
        var mesh = Joined(6, seed: 10);
        mesh.Changes.Clear();
        mesh.Links.Cut(Samples.Node(2), Samples.Node(3));
        mesh.Run(120);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
    }

    [Fact]
    public void A_suspected_member_that_lives_refutes()
    {
        var mesh = Joined(4, seed: 11);
        mesh.Changes.Clear();
        mesh.Pause(2);
        Assert.True(mesh.RunUntil(() => mesh.Changes.Any(change => change.What.Status == MemberStatus.Suspect), 5));
        mesh.Resume(2);
        mesh.Run(5);
        Assert.True(mesh.IsOneView());
        Assert.InRange(mesh[2].Core!.Refutations, 1, 5);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    [InlineData(23)]
    public void A_node_that_slept_does_not_take_the_others_for_dead(int seed)
    {
        var mesh = Joined(4, seed);
        mesh.Links.Loss = 0.3; // so that it suspects somebody when it falls asleep
        Assert.True(mesh.RunUntil(() => mesh[2].Core!.Members(mesh.Events.Now).Any(member => member.Status == MemberStatus.Suspect), 600));
        mesh.Links.Loss = 0;
        mesh.Pause(2);
        mesh.Run(60);
        mesh.Changes.Clear();
        mesh.Resume(2);
        mesh.Run(10);
        Assert.DoesNotContain(mesh.Changes, change => change.By == Samples.Node(2) && change.What.Status == MemberStatus.Dead);
        Assert.True(mesh.IsOneView(), $"seed {seed}");
    }

    [Fact]
    public void An_offer_reaches_all_within_seconds_and_is_not_believed_when_it_is_not_repeated()
    {
        var mesh = Joined(16, seed: 12);
        mesh.Advertise(7, Samples.Offer with { Why = "mine" });
        Assert.True(mesh.RunUntil(() => Others(7).All(by => mesh.View(by, 7)!.Offer?.Why == "mine"), 6));
        mesh.Run(Samples.Offer.Validity.TotalSeconds + 1);
        Assert.All(Others(7), by => Assert.Null(mesh.View(by, 7)!.Offer));

        IEnumerable<int> Others(int self) => Enumerable.Range(1, 16).Where(number => number != self);
    }

    [Theory]
    [InlineData(32, 2.5)]
    [InlineData(100, 3)]
    public void Where_the_machine_lives_a_killed_node_is_known_to_all_sooner(int nodes, double secondsMax)
    {
        var mesh = Joined(nodes, seed: 14);
        for (var number = 3; number < 8; number++)
        {
            var killed = mesh.Events.Now;
            mesh.Kill(number);
            Assert.True(mesh.RunUntil(() => mesh.Stations.All(one => one.Core is null || one.Core.AliveCount == nodes - number + 1), secondsMax), $"{number} of {nodes}");
            output.WriteLine($"{(mesh.Events.Now - killed).TotalSeconds:0.00} s");
        }
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void Nodes_that_are_stopped_for_up_to_two_seconds_are_not_taken_for_dead(int seed)
    {
        var mesh = Joined(32, seed);
        var random = new Random(seed);
        for (var number = 1; number <= 8; number++)
            StopNowAndThen(mesh, number, random);
        mesh.Changes.Clear();
        mesh.Run(90);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
    }

    [Fact]
    public void With_one_datagram_in_five_lost_nobody_is_taken_for_dead()
    {
        var mesh = Joined(32, seed: 15);
        mesh.Links.Loss = 0.2;
        mesh.Changes.Clear();
        mesh.Run(120);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status == MemberStatus.Dead);
    }

    [Fact]
    public void An_idle_site_sends_no_more_than_its_budget()
    {
        foreach (var (profile, bytesMax) in new[] { (MembershipProfile.Lan, 300), (MembershipProfile.LowPower, 60) })
        {
            var mesh = new SimulatedMesh(seed: 16, profile);
            mesh.Add(32);
            Assert.True(mesh.RunUntil(mesh.IsOneView, 300));
            mesh.Run(120);
            var before = mesh.Stations.Sum(station => station.BytesSent);
            mesh.Run(300);
            var each = (mesh.Stations.Sum(station => station.BytesSent) - before) / 300.0 / 32;
            output.WriteLine($"{each:0} B/s");
            Assert.InRange(each, 1, bytesMax);
            Assert.InRange(mesh.Stations.Max(station => station.LongestDatagram), 1, profile.DatagramBytesMax);
        }
    }

    [Fact]
    public void A_node_whose_link_is_down_knows_that_it_is_its_own()
    {
        var mesh = Joined(8, seed: 17);
        mesh.Links.Partition([Samples.Node(5)]);
        mesh.Run(6);
        Assert.Equal(Reach.CutOff, mesh[5].Core!.Reach);
        Assert.Equal(Reach.Whole, mesh[1].Core!.Reach);
        Assert.Contains("say", mesh.View(1, 5)!.Why, StringComparison.Ordinal);
        mesh.Links.Heal();
        mesh.Run(10);
        Assert.Equal(Reach.Whole, mesh[5].Core!.Reach);
    }

    [Fact]
    public void The_same_seed_gives_the_same_life()
    {
        Assert.Equal(Life(), Life());

        static (long, long) Life()
        {
            var mesh = Joined(12, seed: 18);
            mesh.Links.Loss = 0.1;
            mesh.Crash(4);
            mesh.Run(60);
            return (mesh.DatagramsSent, mesh.Stations.Sum(station => station.BytesSent));
        }
    }

    private static void StopNowAndThen(SimulatedMesh mesh, int number, Random random) => mesh.Events.After(TimeSpan.FromSeconds(0.2 + (2 * random.NextDouble())), () =>
    {
        mesh.Pause(number);
        mesh.Events.After(TimeSpan.FromSeconds(0.2 + (1.8 * random.NextDouble())), () =>
        {
            mesh.Resume(number);
            StopNowAndThen(mesh, number, random);
        });
    });

    [Fact]
    public void Duplicated_and_late_datagrams_change_nothing()
    {
        var mesh = Joined(8, seed: 13);
        mesh.Links.Duplication = 0.5;
        mesh.Changes.Clear();
        mesh.Run(300);
        Assert.DoesNotContain(mesh.Changes, change => change.What.Status != MemberStatus.Alive);
    }

    private static SimulatedMesh Joined(int nodes, int seed)
    {
        var mesh = new SimulatedMesh(seed);
        mesh.Add(nodes);
        Assert.True(mesh.RunUntil(mesh.IsOneView, 10), $"seed {seed}: not joined");
        mesh.Run(2);
        return mesh;
    }
}
