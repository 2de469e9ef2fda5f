using System.Globalization;
using System.Text;

namespace EdgeFirmware.Lab.Demo;

/// <summary>The demo's last word: what every step cost, next to the papers' figures.</summary>
public static class ReportTable
{
    private static readonly string[] Heads = ["step", "move", "selection ms", "bytes sent", "freeze ms", "gap ms", "in", "out", "lost", "twice"];

    public static string Render(DemoReport report)
    {
        List<string[]> rows = [Heads];
        foreach (var step in report.Steps)
        {
            var account = step.Account!;
            var gap = Number(account.LongestGap.TotalMilliseconds);
            for (var i = 0; i < Math.Max(1, step.Moves.Count); i++)
            {
                var books = i == 0
                    ? new[] { gap, Count(account.In), Count(account.Out), Count(account.Lost), Count(account.Duplicated) }
                    : ["", "", "", "", ""];
                rows.Add(step.Moves.Count == 0
                    ? [step.Title[..1], "restored", "-", "-", "-", .. books]
                    : [
                        i == 0 ? step.Title[..1] : "", $"{step.Moves[i].From} → {step.Moves[i].To}", Number(step.Moves[i].SelectionMilliseconds),
                        Count(step.Moves[i].BytesSent), Number(step.Moves[i].FreezeMilliseconds), .. books,
                    ]);
            }
        }
        rows.Add(["all", "", "", "", "", Number(report.Total.LongestGap.TotalMilliseconds), Count(report.Total.In), Count(report.Total.Out), Count(report.Total.Lost), Count(report.Total.Duplicated)]);
        rows.Add(["papers", "", "586", "60000 in 36 ms", "1000-9000", "", "", "", "", ""]);
        var text = new StringBuilder(Align(rows));
        foreach (var step in report.Steps.Where(step => step.DetectedSeconds > 0))
            text.AppendLine().Append(CultureInfo.InvariantCulture,
                $"Step {step.Title[0]}: found dead after {step.DetectedSeconds:0.0} s, results {step.ResumedSeconds:0.0} s later (to be within 5 s).");
        text.AppendLine().AppendLine("Freeze: the node's own count, from the last message the old copy was given to the first one for the new copy.");
        text.AppendLine("Gap: the longest time between two results at the collector, everything included.");
        return text.ToString();
    }

    private static string Align(List<string[]> rows)
    {
        var widths = Enumerable.Range(0, Heads.Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < rows.Count; i++)
        {
            text.AppendLine("  " + string.Join("  ", rows[i].Select((cell, column) => column < 2 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
            if (i == 0)
                text.AppendLine("  " + string.Join("  ", widths.Select(width => new string('─', width))));
        }
        return text.ToString();
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);
}
