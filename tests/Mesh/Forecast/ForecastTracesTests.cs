using EdgeFirmware.Simulation.Traces;

namespace EdgeFirmware.Mesh.Tests.Forecast;

/// <summary>A small slice of what <c>bench/forecast/run.sh</c> measures, on seeds of its own. Some fifty warnings are too few for its bars of 0.9: these catch what breaks.</summary>
public sealed class ForecastTracesTests
{
    private const int FirstSeed = 500;

    [Fact]
    public void Overloads_are_foreseen_half_a_minute_ahead_and_hardly_ever_in_vain()
    {
        var verdicts = new List<Verdict>();
        for (var seed = FirstSeed; seed < FirstSeed + 2; seed++)
            foreach (var trace in TraceGenerator.Overloads(seed).Where(trace => trace.Kind != "diurnal-quiet"))
                verdicts.AddRange(WarningJudge.Run(trace, [new Foresight(failure: false), BestBaselines.Threshold(failure: false), BestBaselines.Slope(failure: false)]));
        Check(verdicts);
    }

    [Fact]
    public void Failures_are_foreseen_half_a_minute_ahead_and_hardly_ever_in_vain()
    {
        var verdicts = new List<Verdict>();
        for (var seed = FirstSeed; seed < FirstSeed + 4; seed++)
            foreach (var trace in TraceGenerator.Failures(seed))
                verdicts.AddRange(WarningJudge.Run(trace, [new Foresight(failure: true), BestBaselines.Threshold(failure: true), BestBaselines.Slope(failure: true)]));
        Check(verdicts);
    }

    private static void Check(List<Verdict> verdicts)
    {
        var ours = Verdict.Sum("all", verdicts.Where(verdict => verdict.Warner == "forecast"));
        Assert.True(ours.Foreseeable > 10);
        Assert.True(ours.Precision >= 0.8, $"precision {ours.Precision:0.000}: {ours.Right} of {ours.Warnings} from seed {FirstSeed}");
        Assert.True(ours.Recall >= 0.8, $"recall {ours.Recall:0.000}: {ours.Foreseen} of {ours.Foreseeable} from seed {FirstSeed}");
        foreach (var other in verdicts.Select(verdict => verdict.Warner).Distinct().Where(name => name != "forecast"))
            Assert.True(Verdict.Sum("all", verdicts.Where(verdict => verdict.Warner == other)).F <= ours.F, $"{other} is better");
    }
}
