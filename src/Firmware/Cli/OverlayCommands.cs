using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Shows the ways to other nodes, and tries one.</summary>
internal static class OverlayCommands
{
    public static Command Reach()
    {
        var node = new NodeChoice();
        var name = new Argument<string>("node") { Description = "name or ID" };
        var count = new Option<int>("--count") { Description = "so many times", DefaultValueFactory = static _ => 1 };
        var interval = new Option<int>("--interval") { Description = "milliseconds from one to the next, whether it has come or not", DefaultValueFactory = static _ => 1000 };
        var command = node.AddTo(
            new Command("reach", "Say something to another node over whatever link leads there, and tell which one it was and how long it took.") { name, count, interval });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, new ControlRequest("reach", parsed.GetValue(name), Count: parsed.GetValue(count), IntervalMs: parsed.GetValue(interval)), (answer, output) =>
        {
            var reach = answer.Deserialize(FirmwareJson.Default.ReachView)!;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{reach.Id} has it after {reach.Milliseconds:0.0} ms{(reach.Path is { } path ? $", over {path.Link} to {path.Address}{Via(path)}" : "")}"));
        }, cancel));
        return command;
    }

    public static Command Paths()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("paths", "Show the ways to the nodes that this one has spoken with, and which is in use and why."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("paths"), (answer, output) =>
            Print(answer.Deserialize(FirmwareJson.Default.PeerPathsViewArray)!, output), cancel));
        return command;
    }

    private static string Via(PathView path) => path.Via is { } via ? $" via {via[..via.IndexOf('/', StringComparison.Ordinal)]}" : "";

    private static void Print(PeerPathsView[] peers, TextWriter output)
    {
        var table = new TextTable("NODE", "", "LINK", "KIND", "ADDRESS", "USABLE", "RTT", "LOSS", "WAITING", "SWITCHES", "WHY");
        foreach (var peer in peers)
            for (var i = 0; i < Math.Max(1, peer.Paths.Length); i++)
                table.Add([.. i == 0 ? new[] { peer.Id } : [""], .. Row(peer, i < peer.Paths.Length ? peer.Paths[i] : null, i == 0)]);
        table.Write(output);
    }

    private static string[] Row(PeerPathsView peer, PathView? path, bool isFirst)
    {
        string[] way = path is null
            ? ["", "-", "-", "-", "-", "-", "-"]
            :
            [
                path == peer.Path ? "*" : "", path.Link + Via(path), path.Kind, path.Address, path.Usable ? "yes" : "no",
                path.RoundTripMs is { } trip ? string.Create(CultureInfo.InvariantCulture, $"{trip:0.0} ms") : "-", $"{path.Loss * 100:0} %",
            ];
        string[] rest = isFirst
            ? [peer.Waiting.ToString(CultureInfo.InvariantCulture), peer.Switches.ToString(CultureInfo.InvariantCulture), peer.Why ?? "-"]
            : ["", "", ""];
        return [.. way, .. rest];
    }
}
