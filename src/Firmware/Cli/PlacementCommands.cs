using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Commands about where things are.</summary>
internal static class PlacementCommands
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    public static Command Why()
    {
        var node = new NodeChoice();
        var name = new Argument<string>("NAME") { Description = "user-name of the workload, or its name alone when only one user has it" };
        var command = node.AddTo(new Command("why", "Explain where a workload is, with the numbers of every candidate.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("why", parsed.GetValue(name)), (answer, output) =>
        {
            var why = answer.Deserialize(FirmwareJson.Default.WhyView)!;
            output.WriteLine($"{why.Workload} is on {why.Node}");
            Print("last decision", why.Last, $"not known: {why.Node} has started since", output);
            Print("now", why.Now, $"not known: {why.Node} is gone", output);
        }, cancel));
        return command;
    }

    public static Command Drain()
    {
        var node = new NodeChoice();
        var status = new Option<bool>("--status") { Description = "only show how far it is" };
        var follow = new Option<bool>("--follow", "-f") { Description = "wait until all has left that can leave" };
        var command = node.AddTo(new Command("drain", "Move everything away from the node, and keep it empty until 'undrain'.") { status, follow });
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var code = await AskAsync(node, parsed, parsed.GetValue(status) ? "drain-status" : "drain", out var drain, cancel);
            while (parsed.GetValue(follow) && drain() is { } seen && seen.Left.Any(one => one.State != "stays"))
            {
                await Task.Delay(LookInterval, TimeProvider.System, cancel);
                code = await AskAsync(node, parsed, "drain-status", out drain, cancel);
            }
            return parsed.GetValue(follow) && drain() is { Left.Length: > 0 } ? ExitCode.Refused : code;
        }));
        return command;
    }

    public static Command Undrain()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("undrain", "Let a drained node take work again."));
        command.SetAction((parsed, cancel) => AskAsync(node, parsed, "undrain", out _, cancel));
        return command;
    }

    private static Task<int> AskAsync(NodeChoice node, ParseResult parsed, string request, out Func<DrainView?> drain, CancellationToken cancel)
    {
        DrainView? seen = null;
        drain = () => seen;
        return node.AskAsync(
            parsed, new ControlRequest(request), answer => seen = answer.Deserialize(FirmwareJson.Default.DrainView), (_, output) => Print(seen!, output), cancel);
    }

    private static void Print(DrainView drain, TextWriter output)
    {
        output.WriteLine(
            drain is { Draining: false, Failing: false } ? "not draining; it takes work"
            : $"{(drain.Draining ? "draining" : "it foresees its failure")}: {drain.Moved} moved, {drain.Left.Length} left");
        foreach (var left in drain.Left)
            output.WriteLine($"  {left.Workload} {left.State}{(left.Why is { } why ? $": {why}" : "")}");
    }

    private static void Print(string title, DecisionView? decision, string otherwise, TextWriter output)
    {
        output.WriteLine();
        if (decision is null)
        {
            output.WriteLine($"{title}: {otherwise}");
            return;
        }
        output.WriteLine(title == "now" ? $"{title}: {decision.Why}" : $"{title}: {decision.Trigger}, {Ago(decision.SecondsAgo)} by {decision.By}: {decision.Why}");
        var table = new TextTable("NODE", "VERDICT", "COST", "T ms", "MOVE ms", "OF", "M", "U", "M-U", "FORESEEN", "AFFINITY", "RISK", "WHY");
        foreach (var one in decision.Candidates)
            table.Add(
                one.Node, one.Verdict, Number(one.Cost, "0.0"), Number(one.LatencyMs, "0.0"), Number(one.MoveMs, "0.00"), one.Scarce ?? "-", Number(one.Capability, "0.00"),
                Number(one.Need, "0.00"), Number(one.Left, "0.00"), Number(one.Foreseen, "0.00"), Number(one.Affinity, "0.0"), Number(one.Risk, "0.0"), one.Why);
        table.Write(output);
        if (decision.LeftOut > 0)
            output.WriteLine($"and {decision.LeftOut} more");
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Ago(double seconds) => seconds < 120 ? $"{seconds:0} s ago" : seconds < 7200 ? $"{seconds / 60:0} min ago" : $"{seconds / 3600:0} h ago";
}
