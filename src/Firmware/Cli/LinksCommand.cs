using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Shows the node's links and how far each leads.</summary>
internal static class LinksCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    public static Command Create()
    {
        var node = new NodeChoice();
        var watch = new Option<bool>("--watch") { Description = "print again whenever something has changed, until interrupted" };
        var command = node.AddTo(new Command("links", "Show the links: kind, carrier, addresses, how far each leads and why, round-trip time and loss.") { watch });
        command.SetAction((parsed, cancel) => parsed.GetValue(watch)
            ? node.GuardAsync(parsed, () => WatchAsync(node, parsed, cancel))
            : node.AskAsync(parsed, new ControlRequest("links"), (answer, output) => Print(answer.Deserialize(FirmwareJson.Default.LinkListView)!, output), cancel));
        return command;
    }

    /// <summary>Until interrupted.</summary>
    private static async Task<int> WatchAsync(NodeChoice node, ParseResult parsed, CancellationToken cancel)
    {
        var socket = Path.Combine(node.DataDirectory(parsed), "control.sock");
        var output = parsed.InvocationConfiguration.Output;
        var shown = "";
        while (true)
        {
            await foreach (var answer in ControlClient.AskAsync(socket, new ControlRequest("links"), cancel))
            {
                var now = Gist(answer!);
                if (now == shown)
                    continue;
                shown = now;
                if (node.IsJson(parsed))
                    output.WriteLine(answer!.ToJsonString());
                else
                    Print(answer.Deserialize(FirmwareJson.Default.LinkListView)!, output);
            }
            await Task.Delay(Interval, TimeProvider.System, cancel);
        }
    }

    /// <summary>What makes it worth printing again: not the measured figures, which always change.</summary>
    private static string Gist(JsonNode answer)
    {
        var list = answer.Deserialize(FirmwareJson.Default.LinkListView)!;
        var gist = list.Trouble ?? "";
        foreach (var link in list.Links)
            gist += $"\n{link.Name} {link.Carrier} {link.Reach} {link.Why} {string.Join(',', link.Addresses)} {string.Join(',', link.Gateways)}";
        return gist;
    }

    private static void Print(LinkListView list, TextWriter output)
    {
        if (list.Trouble is { } trouble)
            output.WriteLine($"the links are not seen: {trouble}");
        var table = new TextTable("NAME", "KIND", "CARRIER", "REACH", "RTT", "LOSS", "COST", "ADDRESSES", "GATEWAY", "WHY");
        foreach (var link in list.Links)
            table.Add(
                link.Name, link.Kind, link.Carrier ? "yes" : "no", link.Proven ? link.Reach : $"{link.Reach}?",
                link.RoundTripMs is { } trip ? string.Create(CultureInfo.InvariantCulture, $"{trip:0.0} ms") : "-", link.Loss is { } loss ? $"{loss * 100:0} %" : "-",
                link.Cost.ToString(CultureInfo.InvariantCulture), Joined(link.Addresses), Joined(link.Gateways), link.Why);
        table.Write(output);
    }

    private static string Joined(string[] words) => words.Length > 0 ? string.Join(',', words) : "-";
}
