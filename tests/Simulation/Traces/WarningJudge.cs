using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Advertisement;

namespace EdgeFirmware.Simulation.Traces;

/// <summary>Runs traces past warners and counts. A warning is right when what it warns of begins at least 30 s after it and at most 15 minutes (of
/// failure: 6 hours) after it; too late is wrong, too. An overload is foreseen when such a warning began before it. Overloads with less than five minutes
/// between are one; a warning that begins within one counts neither way.</summary>
public static class WarningJudge
{
    public const int LeadSeconds = 30;
    public const int OverloadLeadMax = 15 * 60;
    public const int FailureLeadMax = 6 * 3600;
    private const int Apart = 300;

    public static IReadOnlyList<Verdict> Run(Trace trace, IReadOnlyList<IWarner> warners, Action<int, TraceStep, bool, bool>? watch = null)
    {
        var detector = new OverloadDetector();
        var events = new List<Trouble>();
        var warnings = warners.Select(_ => new List<Warning>()).ToArray();
        var warned = new bool[warners.Count];
        var second = 0;
        foreach (var step in trace.Steps)
        {
            var now = default(Instant) + TimeSpan.FromSeconds(second);
            detector.Observe(step.Reading, now);
            var overloaded = detector.IsOverloaded;
            if (trace.Fails ? step.Fails : overloaded)
                if (events.Count > 0 && second - events[^1].End < Apart)
                    events[^1] = events[^1] with { End = second };
                else
                    events.Add(new Trouble(second, second, trace.Fails || step.Foreseeable));
            for (var i = 0; i < warners.Count; i++)
            {
                var warns = warners[i].Warns(step, overloaded, now);
                if (warns && !warned[i])
                    warnings[i].Add(new Warning(second, events.Count > 0 && second - events[^1].End < Apart));
                warned[i] = warns;
            }
            watch?.Invoke(second, step, overloaded, warned[0]);
            second++;
        }
        return [.. warnings.Select((list, i) => Judge(trace, warners[i].Name, events, list, second))];
    }

    private static Verdict Judge(Trace trace, string warner, List<Trouble> events, List<Warning> warnings, int seconds)
    {
        var most = trace.Fails ? FailureLeadMax : OverloadLeadMax;
        var fresh = warnings.Where(warning => !warning.Within).ToList();
        var right = fresh.Count(warning => events.Any(trouble => trouble.Begin - warning.Begin >= LeadSeconds && trouble.Begin - warning.Begin <= most));
        var leads = new List<double>();
        var (foreseeable, foreseen, unannounced) = (0, 0, 0);
        foreach (var trouble in events)
        {
            var before = fresh.Where(warning => trouble.Begin - warning.Begin >= LeadSeconds && trouble.Begin - warning.Begin <= most).ToList();
            foreseeable += trouble.Foreseeable ? 1 : 0;
            foreseen += trouble.Foreseeable && before.Count > 0 ? 1 : 0;
            unannounced += !trouble.Foreseeable && before.Count > 0 ? 1 : 0;
            if (before.Count > 0)
                leads.Add(trouble.Begin - before[0].Begin);
        }
        return new Verdict(trace.Kind, warner, events.Count, foreseeable, foreseen, unannounced, fresh.Count, right, leads, seconds);
    }

    private readonly record struct Trouble(int Begin, int End, bool Foreseeable);

    /// <param name="Within">It began while the last trouble was hardly over.</param>
    private readonly record struct Warning(int Begin, bool Within);
}

/// <param name="Events">Overloads or failures; <paramref name="Foreseeable"/> of them were announced.</param>
/// <param name="Foreseen">Of the foreseeable ones; <paramref name="Lucky"/> of the others.</param>
/// <param name="Warnings">Begun; <paramref name="Right"/> of them rightly.</param>
/// <param name="Leads">Seconds from the first right warning to its event.</param>
public sealed record Verdict(
    string Kind, string Warner, int Events, int Foreseeable, int Foreseen, int Lucky, int Warnings, int Right, IReadOnlyList<double> Leads, long Seconds)
{
    public double Precision => Warnings == 0 ? 1 : Right / (double)Warnings;

    public double Recall => Foreseeable == 0 ? 1 : Foreseen / (double)Foreseeable;

    public double RecallOfAll => Events == 0 ? 1 : (Foreseen + Lucky) / (double)Events;

    public double LeadMedian => Leads.Count == 0 ? 0 : Leads.Order().ElementAt(Leads.Count / 2);

    public double LeadMin => Leads.Count == 0 ? 0 : Leads.Min();

    /// <summary>Harmonic mean of precision and recall.</summary>
    public double F => Precision + Recall == 0 ? 0 : 2 * Precision * Recall / (Precision + Recall);

    public static Verdict Sum(string kind, IEnumerable<Verdict> verdicts)
    {
        var all = verdicts.ToList();
        return new Verdict(
            kind, all.Count == 0 ? "" : all[0].Warner, all.Sum(v => v.Events), all.Sum(v => v.Foreseeable), all.Sum(v => v.Foreseen), all.Sum(v => v.Lucky),
            all.Sum(v => v.Warnings), all.Sum(v => v.Right), [.. all.SelectMany(v => v.Leads)], all.Sum(v => v.Seconds));
    }
}
