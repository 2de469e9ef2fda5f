using System.Globalization;
using EdgeFirmware.Simulation.Traces;

namespace EdgeFirmware.Forecast.Bench;

/// <summary>Judges the forecast and two baselines on the traces. <c>evaluate TRACES OUT</c> writes what <c>report.py</c> draws; <c>tune [SEEDS]</c> prints
/// the tuning seeds' verdicts by kind; <c>watch KIND SEED</c> prints when what was warned of.</summary>
internal static class Program
{
    /// <summary>Numbers were chosen on these.</summary>
    private const int TuningSeed = 1000;

    /// <summary>Reported, and never looked at before.</summary>
    private const int EvaluationSeed = 101;
    private const int EvaluationSeeds = 20;

    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        switch (arguments)
        {
            case ["evaluate", var traces, var output]:
                Evaluate(traces, output);
                return 0;
            case ["tune", .. var rest]:
                Tune(rest.Length > 0 ? int.Parse(rest[0]) : 6, rest.Length > 1 ? rest[1].Split(',') : [.. TraceGenerator.OverloadKinds, .. TraceGenerator.FailureKinds]);
                return 0;
            case ["baselines"]:
                Baselines();
                return 0;
            case ["watch", var kind, var seed]:
                Watch(Make(kind, int.Parse(seed)));
                return 0;
            case ["watch", var file]:
                Watch(RecordedTraces.Load(Path.GetDirectoryName(file)!).First(trace => file.EndsWith($"{trace.Name}.csv.gz", StringComparison.Ordinal)));
                return 0;
            default:
                Console.Error.WriteLine("evaluate TRACES OUT | tune [SEEDS [KINDS]] | baselines | watch KIND SEED | watch FILE");
                return 2;
        }
    }

    private static Trace Make(string kind, int seed) =>
        TraceGenerator.FailureKinds.Contains(kind) ? TraceGenerator.Failures(seed).First(trace => trace.Kind == kind) : TraceGenerator.Overload(kind, seed);

    private static IWarner[] Warners(bool failure) => [new Foresight(failure), BestBaselines.Threshold(failure), BestBaselines.Slope(failure)];

    private static void Evaluate(string directory, string output)
    {
        var verdicts = new List<(string Set, Verdict Verdict)>();
        for (var seed = EvaluationSeed; seed < EvaluationSeed + EvaluationSeeds; seed++)
        {
            foreach (var trace in TraceGenerator.Overloads(seed))
                verdicts.AddRange(WarningJudge.Run(trace, Warners(false)).Select(verdict => ("overload", verdict)));
            foreach (var trace in TraceGenerator.Failures(seed))
                verdicts.AddRange(WarningJudge.Run(trace, Warners(true)).Select(verdict => ("failure", verdict)));
        }
        foreach (var trace in RecordedTraces.Load(directory))
            verdicts.AddRange(WarningJudge.Run(trace, Warners(false)).Select(verdict => ("recorded", verdict)));
        using var file = new StreamWriter(Path.Combine(output, "verdicts.csv"));
        file.WriteLine("set,kind,warner,events,foreseeable,foreseen,unannounced,warnings,right,seconds,leads");
        foreach (var (set, v) in verdicts)
            file.WriteLine($"{set},{v.Kind},{v.Warner},{v.Events},{v.Foreseeable},{v.Foreseen},{v.Lucky},{v.Warnings},{v.Right},{v.Seconds},{string.Join(' ', v.Leads)}");
        foreach (var (kind, seed) in new[] { ("ramp", 101), ("leak", 101), ("diurnal-job", 101), ("neighbour", 101) })
            Plot(Make(kind, seed), Path.Combine(output, $"{kind}.csv"));
        Plot(Make("heat", 101), Path.Combine(output, "heat.csv"));
        Plot(Make("dying-sd", 101), Path.Combine(output, "dying-sd.csv"));
    }

    /// <summary>What the picture of one trace needs, every ten seconds.</summary>
    private static void Plot(Trace trace, string path)
    {
        var foresight = new Foresight(trace.Fails);
        using var file = new StreamWriter(path);
        file.WriteLine("second,value,expected,low,high,trouble,warning,score");
        WarningJudge.Run(trace, [foresight], (second, step, overloaded, warning) =>
        {
            if (second % 10 != 0 && !step.Fails)
                return;
            var of = trace.Kind == "leak" ? foresight.Forecast.Overload.Memory : foresight.Forecast.Overload.Cpu;
            var ahead = of.Ahead[0];
            var value = trace.Kind == "heat" ? step.Health.Celsius / 100 : of.Used;
            file.WriteLine($"{second},{value:0.0000},{ahead.Used:0.0000},{ahead.Low:0.0000},{ahead.High:0.0000},{(overloaded || step.Fails ? 1 : 0)},{(warning ? 1 : 0)},{foresight.Forecast.Failure.Score:0.000}");
        });
    }

    private static void Tune(int seeds, string[] kinds)
    {
        var all = new List<Verdict>();
        foreach (var kind in kinds)
        {
            var verdicts = new List<Verdict>();
            for (var seed = TuningSeed; seed < TuningSeed + seeds; seed++)
                verdicts.AddRange(WarningJudge.Run(Make(kind, seed), Warners(TraceGenerator.FailureKinds.Contains(kind))));
            foreach (var group in verdicts.GroupBy(verdict => verdict.Warner))
                Print(Verdict.Sum(kind, group));
            all.AddRange(verdicts);
        }
        foreach (var part in new[] { TraceGenerator.OverloadKinds, TraceGenerator.FailureKinds })
            foreach (var group in all.Where(verdict => part.Contains(verdict.Kind)).GroupBy(verdict => verdict.Warner))
                Print(Verdict.Sum("all", group));
    }

    /// <summary>Every setting of the baselines on the tuning seeds, the best F last: they get the same chance.</summary>
    private static void Baselines()
    {
        foreach (var failure in new[] { false, true })
        {
            var warners = BestBaselines.Grid(failure);
            var sums = new List<(string Setting, Verdict Sum)>();
            foreach (var (setting, make) in warners)
            {
                var verdicts = new List<Verdict>();
                for (var seed = TuningSeed; seed < TuningSeed + 2; seed++)
                    foreach (var trace in failure ? TraceGenerator.Failures(seed) : TraceGenerator.Overloads(seed))
                        verdicts.AddRange(WarningJudge.Run(trace, [make()]));
                sums.Add((setting, Verdict.Sum("all", verdicts)));
            }
            foreach (var (setting, sum) in sums.OrderBy(pair => pair.Sum.F))
                Console.WriteLine($"{(failure ? "failure" : "overload"),-9} {setting,-40} F {sum.F:0.000} P {sum.Precision:0.000} R {sum.Recall:0.000}");
        }
    }

    private static void Watch(Trace trace)
    {
        var foresight = new Foresight(trace.Fails);
        var (wasOverloaded, wasWarning) = (false, false);
        var verdicts = WarningJudge.Run(trace, [foresight], (second, step, overloaded, warning) =>
        {
            var at = $"{second,7} (day {second / 86400}, {TimeSpan.FromSeconds(second % 86400)})";
            if (overloaded != wasOverloaded)
                Console.WriteLine($"{at} overload {(overloaded ? $"BEGINS{(step.Foreseeable ? "" : ", not foreseeable")}" : "ends")}");
            if (step.Fails)
                Console.WriteLine($"{at} FAILS");
            var forecast = foresight.Forecast;
            if (warning != wasWarning)
                Console.WriteLine($"{at} warning {(warning ? "begins" : "ends")}: {(trace.Fails ? $"{forecast.Failure.Score:0.00} {forecast.Failure.Why}" : forecast.Overload.Why)}");
            (wasOverloaded, wasWarning) = (overloaded, warning);
        });
        Print(verdicts[0]);
    }

    private static void Print(Verdict v) => Console.WriteLine(
        $"{v.Kind,-20} {v.Warner,-17} events {v.Events,4} foreseen {v.Foreseen,4}/{v.Foreseeable,-4}+{v.Lucky} warnings {v.Right,4}/{v.Warnings,-5} P {v.Precision:0.000} R {v.Recall:0.000} F {v.F:0.000} lead {v.LeadMedian:0}/{v.LeadMin:0}");
}
