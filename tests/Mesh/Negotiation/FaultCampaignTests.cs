using System.Globalization;
using Xunit.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>Many random lives of a site. <c>EDGE_CAMPAIGN=50000</c> runs more of them,
/// <c>EDGE_CAMPAIGN_FIRST=2000</c> others, <c>EDGE_CAMPAIGN_SEED=17</c> only that one, with a trace.</summary>
public sealed class FaultCampaignTests(ITestOutputHelper output)
{
    private const int SchedulesMin = 2000;

    /// <summary>Then it is clear that something is wrong.</summary>
    private const int FaultsMax = 10;

    [Fact]
    public void Whatever_fails_one_copy_lives_and_all_agree()
    {
        if (Setting("EDGE_CAMPAIGN_SEED") is { } one)
        {
            Replay(one);
            return;
        }
        var (count, first) = (Setting("EDGE_CAMPAIGN") ?? SchedulesMin, Setting("EDGE_CAMPAIGN_FIRST") ?? 0);
        var (events, simulated, settling, bytes, held) = (0L, TimeSpan.Zero, TimeSpan.Zero, 0.0, 0);
        var faults = new List<string>();
        for (var seed = first; seed < first + count && faults.Count < FaultsMax; seed++)
        {
            var schedule = new FaultSchedule(seed);
            if (schedule.Run() is { Length: > 0 } fault)
                faults.Add($"seed {seed}: {fault}\nreplay: {ReplayOf(seed)}");
            events += schedule.EventsDone;
            simulated += schedule.Simulated;
            settling = schedule.Settling > settling ? schedule.Settling : settling;
            held += schedule.Held;
            bytes = Math.Max(bytes, schedule.BytesASecondMax);
        }
        output.WriteLine($"{count} schedules from seed {first}, {events} events, {simulated.TotalHours:0} simulated hours, {held} times held, settled at the latest "
            + $"{settling.TotalSeconds:0} s after the last fault, no node sent more than {bytes:0} bytes a second");
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData(PlantedBug.StartsTwice, "runs at epoch")]
    [InlineData(PlantedBug.ClonesEpochs, "and has accepted")]
    [InlineData(PlantedBug.ForgetsSaves, "is lost: no disk knows it")]
    [InlineData(PlantedBug.NeverStops, " runs on gate")]
    [InlineData(PlantedBug.GoesBack, "went back from")]
    [InlineData(PlantedBug.Floods, "bytes in")]
    [InlineData(PlantedBug.LosesVolumes, "without its volumes")]
    [InlineData(PlantedBug.GoesDeaf, "records differ")]
    public void The_invariants_notice_what_is_made_wrong_on_purpose(PlantedBug bug, string noticed)
    {
        var seen = new HashSet<string>();
        for (var seed = 0; seed < 200; seed++)
        {
            var fault = new FaultSchedule(seed, planted: bug).Run();
            if (fault.Contains(noticed, StringComparison.Ordinal))
                return;
            seen.Add(fault);
        }
        Assert.Fail($"{bug}: never '{noticed}', but {string.Join("; ", seen.Take(5))}");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    public void A_seed_always_means_the_same_life(int seed)
    {
        var (one, other) = (new FaultSchedule(seed), new FaultSchedule(seed, traceMax: 100));
        Assert.Equal(one.Run(), other.Run());
        Assert.Equal(one.Fingerprint, other.Fingerprint);
        Assert.Equal(one.EventsDone, other.EventsDone);
        var next = new FaultSchedule(seed + 1);
        next.Run();
        Assert.NotEqual(one.Fingerprint, next.Fingerprint);
    }

    private static string ReplayOf(int seed) =>
        $"EDGE_CAMPAIGN_SEED={seed} dotnet test tests/Mesh --filter {nameof(Whatever_fails_one_copy_lives_and_all_agree)} --logger 'console;verbosity=detailed'";

    private void Replay(int seed)
    {
        var schedule = new FaultSchedule(seed, traceMax: 2000);
        var fault = schedule.Run();
        output.WriteLine(schedule.Trace);
        Assert.True(fault.Length == 0, $"seed {seed}: {fault}\nreplay: {ReplayOf(seed)}");
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
