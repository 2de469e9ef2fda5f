using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Commands that look.</summary>
internal static class SiteCommands
{
    public static Command Status()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("status", "Show the node: level, resources, engine, broker, mesh."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("status"), (answer, output) =>
            Print(answer.Deserialize(FirmwareJson.Default.NodeView)!, output), cancel));
        return command;
    }

    public static Command Peers()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("peers", "List the other nodes and what they offer."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("peers"), (answer, output) =>
        {
            var table = new TextTable("NAME", "STATUS", "LEVEL", "CPU FREE", "MEMORY FREE", "DISK FREE", "RTT", "REACH", "LINKS", "LABELS", "FORECAST", "FAILURE", "OFFER", "ADDRESS", "WHY");
            foreach (var peer in answer.Deserialize(FirmwareJson.Default.PeerViewArray)!)
                table.Add(
                    peer.Name, peer.Status, peer.Level?.ToString() ?? "-", peer.Resources is { } free ? $"{free.CpuFreeCores:0.00}" : "-",
                    peer.Resources is { } memory ? Size(memory.MemoryFreeBytes) : "-", peer.Resources is { } disk ? Size(disk.DiskFreeBytes) : "-",
                    peer.RoundTripMs is { } trip ? $"{trip:0.0} ms" : "-", peer.Reach, Joined(peer.Links), Joined(peer.Labels), peer.Outlook?.Summary() ?? "-",
                    peer.Outlook is { } outlook ? $"{outlook.Failure * 100:0} %" : "-", Age(peer), peer.Address, Why(peer));
            table.Write(output);
        }, cancel));
        return command;
    }

    public static Command Bridges()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("bridges", "List the brokers this one forwards to and from, and what waits for them."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("bridges"), (answer, output) =>
        {
            var table = new TextTable("NAME", "ADDRESS", "STATE", "WAITING", "BYTES", "FORWARDED", "RECEIVED", "DROPPED", "WHY");
            foreach (var bridge in answer.Deserialize(FirmwareJson.Default.BridgeViewArray)!)
                table.Add(
                    bridge.Name, bridge.Address, bridge.Connected ? "connected" : "away", bridge.QueuedMessages.ToString(), bridge.QueuedBytes.ToString(),
                    bridge.Forwarded.ToString(), bridge.Received.ToString(),
                    bridge.Dropped.Count == 0 ? "0" : string.Join(' ', bridge.Dropped.Keys.Select(cause => $"{cause}:{bridge.Dropped[cause]}")), bridge.Trouble ?? "-");
            table.Write(output);
        }, cancel));
        return command;
    }

    public static Command Workloads()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("workloads", "List the workloads of the site and where they run."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("workloads"), (answer, output) =>
        {
            var table = new TextTable("NAME", "USER", "NODE", "STATE", "EPOCH", "CONTAINER", "WAITING", "WHY");
            foreach (var workload in answer.Deserialize(FirmwareJson.Default.WorkloadViewArray)!)
                table.Add(
                    workload.Name, workload.User, workload.Node, workload.State, workload.Epoch.ToString(),
                    workload.ContainerId is { Length: > 12 } container ? container[..12] : "-", workload.WaitingMessages.ToString(), workload.Why);
            table.Write(output);
        }, cancel));
        return command;
    }

    public static Command Version()
    {
        var json = new Option<bool>("--json") { Description = "print JSON" };
        var command = new Command("version", "Print the version.") { json };
        command.SetAction(parsed =>
        {
            var version = new VersionView("edge-firmware", ProductVersion.Text, RuntimeInformation.FrameworkDescription);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json) ? JsonText.Of(version) : $"{version.Name} {version.Version} ({version.Runtime})");
        });
        return command;
    }

    private static void Print(NodeView node, TextWriter output)
    {
        var use = node.Resources;
        output.WriteLine($"node       {node.Id}, version {node.Version}, up {TimeSpan.FromSeconds(Math.Floor(node.UptimeSeconds))}");
        output.WriteLine($"level      {node.Level}{(node.LevelWhy.Length > 0 ? $": {node.LevelWhy}" : "")}");
        output.WriteLine($"cpu        {use.CpuLoad * 100:0} % of {use.CpuCores:0.0#} cores in use");
        output.WriteLine($"memory     {Size(use.MemoryFreeBytes)} of {Size(use.MemoryBytes)} free");
        output.WriteLine($"disk       {Size(use.DiskFreeBytes)} of {Size(use.DiskBytes)} free");
        output.WriteLine($"health     {node.Health.Summary()}");
        output.WriteLine($"links      {Joined(node.Links)}; labels {Joined(node.Labels)}{(node.Draining ? "; draining" : "")}");
        output.WriteLine($"forecast   {node.Outlook.Summary()}, likelihood of failure {node.Outlook.Failure * 100:0} %");
        output.WriteLine($"engine     {(node.Engine.Reachable ? node.Engine.Description : $"none answers at {node.Engine.Socket}")}");
        output.WriteLine($"broker     {string.Join(", ", node.Broker.Listen)}: {node.Broker.Clients} clients, {node.Broker.MessagesIn} messages in, {node.Broker.MessagesOut} out");
        output.WriteLine(node.Mesh is { } mesh
            ? $"mesh       {mesh.Address}: {mesh.Alive} alive, {mesh.Suspect} suspect, {mesh.Dead} dead{(mesh.DatagramsForged > 0 ? $"; {mesh.DatagramsForged} datagrams under another site key" : "")}"
            : "mesh       none configured");
        if (node.Mesh is { } at)
            output.WriteLine(at.Site is null
                ? "site       lab profile: whoever has Mesh.SiteKey can speak for every node"
                : $"site       {at.Site}, certificate good until {at.CertificateGoodUntil}");
    }

    /// <summary>Why it is not at its best; else why it has the status it has.</summary>
    private static string Why(PeerView peer) => (peer.Draining, peer.LevelWhy) switch
    {
        (_, { Length: > 0 } why) => why,
        (true, _) => "draining",
        _ => peer.Why,
    };

    /// <summary>How old the offer is, and how long it holds.</summary>
    private static string Age(PeerView peer) =>
        peer is { OfferAgeSeconds: { } age, OfferExpiresSeconds: { } left } ? $"{Span(age)}, {Span(left)} left" : "none";

    private static string Span(double seconds) => seconds < 120 ? $"{seconds:0} s" : $"{seconds / 60:0} min";

    private static string Joined(string[]? words) => words is { Length: > 0 } ? string.Join(',', words) : "-";

    private static string Size(long bytes) => bytes >= 10L << 30 ? $"{bytes >> 30} GiB" : $"{bytes >> 20} MiB";
}
