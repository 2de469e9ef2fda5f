using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Membership;
using static EdgeFirmware.Mesh.Tests.Wire.GossipSamples;

namespace EdgeFirmware.Mesh.Tests.Membership;

public sealed class SuspicionTests
{
    private static readonly Instant Began = new(1_000_000_000);
    private static readonly MembershipProfile Profile = MembershipProfile.Lan;

    [Theory]
    [InlineData(1, 6.0)]
    [InlineData(2, 4.1)]
    [InlineData(3, 2.99)]
    [InlineData(4, 2.2)]
    [InlineData(9, 2.2)]
    public void The_more_members_say_so_the_shorter_it_lasts(int voices, double seconds)
    {
        var suspicion = Suspected(memberCount: 20);
        for (var voice = 2; voice <= voices; voice++)
            Assert.Equal(voice <= 4, suspicion.Hear(TagOf(voice), refused: false));
        Assert.Equal(seconds, TimeUp(suspicion), 0.01);
    }

    [Fact]
    public void The_same_voice_counts_once()
    {
        var suspicion = Suspected(memberCount: 20);
        Assert.False(suspicion.Hear(TagOf(1), refused: false));
        Assert.Equal(6, TimeUp(suspicion), 0.01);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Where_few_others_are_fewer_are_enough(int memberCount)
    {
        var suspicion = Suspected(memberCount);
        if (memberCount == 3)
            suspicion.Hear(TagOf(2), refused: false);
        Assert.Equal(2.2, TimeUp(suspicion), 0.01);
    }

    [Fact]
    public void A_refusal_is_worth_more_than_silence_and_is_passed_on()
    {
        var suspicion = Suspected(memberCount: 20);
        Assert.True(suspicion.Hear(TagOf(1), refused: true));
        Assert.Equal(0.4, TimeUp(suspicion), 0.01);
    }

    [Fact]
    public void In_a_large_site_words_take_longer()
    {
        var suspicion = Suspected(memberCount: 1000);
        Assert.Equal(12, TimeUp(suspicion), 0.01);
    }

    [Fact]
    public void Before_it_ends_the_suspect_is_asked_twice()
    {
        var suspicion = Suspected(memberCount: 20, refused: true);
        List<(double, Verdict)> seen = [];
        for (var at = 0.0; seen.Count < 3; at += 0.01)
            if (suspicion.Look(Began + TimeSpan.FromSeconds(at)) is var verdict and not Verdict.Wait)
                seen.Add((Math.Round(at, 2), verdict));
        Assert.Equal([(0.2, Verdict.Knock), (0.4, Verdict.Knock), (0.5, Verdict.Dead)], seen);
    }

    [Fact]
    public void A_node_that_slept_past_the_end_listens_before_it_believes()
    {
        var suspicion = Suspected(memberCount: 20, refused: true);
        suspicion.Look(Began + TimeSpan.FromSeconds(0.2));
        var woke = Began + TimeSpan.FromSeconds(9);
        Assert.Equal(Verdict.Knock, suspicion.Look(woke));
        Assert.Equal(Verdict.Wait, suspicion.Look(woke + TimeSpan.FromMilliseconds(99)));
        Assert.Equal(Verdict.Knock, suspicion.Look(woke + TimeSpan.FromMilliseconds(400))); // asleep again
        Assert.Equal(Verdict.Dead, suspicion.Look(woke + TimeSpan.FromMilliseconds(500)));
    }

    private static Suspicion Suspected(int memberCount, bool refused = false) => new(TagOf(1), refused, Profile, memberCount, Began);

    /// <summary>Seconds until the last call.</summary>
    private static double TimeUp(Suspicion suspicion)
    {
        suspicion.Look(suspicion.NextLook);
        return (suspicion.NextLook - Began).TotalSeconds;
    }
}
