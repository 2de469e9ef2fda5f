using System.Globalization;
using Xunit.Abstractions;

namespace EdgeFirmware.Mesh.Tests.Negotiation;

/// <summary>Many random lives of a site. <c>EDGE_CAMPAIGN=50000</c> runs more of them, <c>EDGE_CAMPAIGN_SEED=17</c> only that one, with a trace.</summary>
public sealed class FaultCampaignTests(ITestOutputHelper output)
{
    private const int SchedulesMin = 2000;

    [Fact]
    public void Whatever_fails_one_copy_lives_and_all_agree()
    {
        if (Setting("EDGE_CAMPAIGN_SEED") is { } one)
        {
            Replay(one);
            return;
        }
        var count = Setting("EDGE_CAMPAIGN") ?? SchedulesMin;
        var (events, simulated) = (0L, TimeSpan.Zero);
        for (var seed = 0; seed < count; seed++)
        {
            var schedule = new FaultSchedule(seed);
            if (schedule.Run() is { Length: > 0 } fault)
                Assert.Fail($"seed {seed}: {fault}\nreplay with EDGE_CAMPAIGN_SEED={seed}");
            events += schedule.EventsDone;
            simulated += schedule.Simulated;
        }
        output.WriteLine($"{count} schedules, {events} events, {simulated.TotalHours:0} simulated hours");
    }

    private void Replay(int seed)
    {
        var schedule = new FaultSchedule(seed, traceMax: 2000);
        var fault = schedule.Run();
        output.WriteLine(schedule.Trace);
        Assert.True(fault.Length == 0, $"seed {seed}: {fault}");
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
}
