using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Commands that change what runs.</summary>
internal static class WorkloadCommands
{
    public static Command Deploy()
    {
        var node = new NodeChoice();
        var file = new Argument<string?>("SPEC") { Arity = ArgumentArity.ZeroOrOne, Description = "file with the specification as JSON ('-': standard input); or use the options" };
        var user = new Option<string?>("--user") { Description = "tenant it belongs to" };
        var name = new Option<string?>("--name") { Description = "name, unique for the user" };
        var image = new Option<string?>("--image") { Description = "image reference" };
        var inputs = new Option<string[]>("--input") { Description = "topic filter whose messages are kept for it; may be repeated" };
        var outputs = new Option<string[]>("--output") { Description = "topic it publishes to; may be repeated" };
        var environment = new Option<string[]>("--env") { Description = "NAME=value; may be repeated" };
        var volumes = new Option<string[]>("--volume") { Description = "name:/path; its content moves along; may be repeated" };
        var memory = new Option<long>("--memory") { Description = "most it may use, MiB; 0 = no limit" };
        var cpus = new Option<double>("--cpus") { Description = "cores it needs, for placement" };
        var requires = new Option<string[]>("--require") { Description = "label a node must have, for example gpio or link=wan; may be repeated" };
        var prefers = new Option<string[]>("--prefer") { Description = "label that makes a node better; may be repeated" };
        var latency = new Option<double>("--latency") { Description = "most a message may take from where it is heard, milliseconds; 0 = no bound" };
        var command = new Command("deploy", "Run a workload on the best node of the site.")
        {
            file, user, name, image, inputs, outputs, environment, volumes, memory, cpus, requires, prefers, latency,
        };
        node.AddTo(command);
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var spec = parsed.GetValue(file) is { } path
                ? await ReadAsync(path, cancel)
                : JsonSerializer.SerializeToNode(new WorkloadSpec
                {
                    User = parsed.GetValue(user) ?? throw new OperationRefusedException(400, "a SPEC file, or --user, --name and --image are needed"),
                    Name = parsed.GetValue(name) ?? throw new OperationRefusedException(400, "--name is needed"),
                    Image = parsed.GetValue(image) ?? throw new OperationRefusedException(400, "--image is needed"),
                    Inputs = parsed.GetValue(inputs) ?? [],
                    Outputs = parsed.GetValue(outputs) ?? [],
                    Environment = Pairs(parsed.GetValue(environment), '=', "--env NAME=value"),
                    Volumes = Pairs(parsed.GetValue(volumes), ':', "--volume name:/path"),
                    MemoryBytesMax = parsed.GetValue(memory) << 20,
                    CpuCores = parsed.GetValue(cpus),
                    Requires = parsed.GetValue(requires) ?? [],
                    Prefers = parsed.GetValue(prefers) ?? [],
                    LatencyMillisecondsMax = parsed.GetValue(latency),
                }, FirmwareJson.Default.WorkloadSpec)!.AsObject();
            return await node.AskAsync(parsed, new ControlRequest("deploy", Spec: spec), (answer, output) =>
            {
                var made = answer.Deserialize(FirmwareJson.Default.WorkloadView)!;
                output.WriteLine($"{made.Id} runs on {made.Node} at epoch {made.Epoch}");
            }, cancel);
        }));
        return command;
    }

    public static Command Migrate()
    {
        var node = new NodeChoice();
        var name = Name();
        var to = new Option<string?>("--to") { Description = "node to move to; the best one when absent", HelpName = "NODE" };
        var command = node.AddTo(new Command("migrate", "Move a workload to another node; no message for it is lost.") { name, to });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, new ControlRequest("migrate", parsed.GetValue(name), parsed.GetValue(to)), (answer, output) =>
            {
                var moved = answer.Deserialize(FirmwareJson.Default.MoveView)!;
                output.WriteLine(
                    $"{moved.Workload} moved from {moved.From} to {moved.To}, epoch {moved.Epoch}: peer chosen in {moved.SelectionMs:0} ms, "
                    + $"{moved.BytesSent} bytes sent, frozen {moved.FreezeMs:0} ms, {moved.TotalMs:0} ms in all");
            }, cancel));
        return command;
    }

    public static Command Logs()
    {
        var node = new NodeChoice();
        var name = Name();
        var tail = new Option<int?>("--tail") { Description = "lines from the end" };
        var follow = new Option<bool>("--follow", "-f") { Description = "go on as lines come" };
        var command = node.AddTo(new Command("logs", "Print what a workload's container has written.") { name, tail, follow });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, new ControlRequest("logs", parsed.GetValue(name), Tail: parsed.GetValue(tail), Follow: parsed.GetValue(follow)),
            (line, output) => output.WriteLine(line.GetValue<string>()), cancel));
        return command;
    }

    public static Command Remove()
    {
        var node = new NodeChoice();
        var name = Name();
        var command = node.AddTo(new Command("remove", "Remove a workload, its container and its volumes.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, new ControlRequest("remove", parsed.GetValue(name)),
            (answer, output) => output.WriteLine($"{answer.Deserialize(FirmwareJson.Default.WorkloadView)!.Id} removed"), cancel));
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "user-name of the workload, or its name alone when only one user has it" };

    private static async Task<JsonObject> ReadAsync(string path, CancellationToken cancel)
    {
        var text = path == "-" ? await Console.In.ReadToEndAsync(cancel) : await File.ReadAllTextAsync(path, cancel);
        try
        {
            return JsonNode.Parse(text) as JsonObject ?? throw new OperationRefusedException(400, $"{path}: a JSON object is needed");
        }
        catch (JsonException error)
        {
            throw new OperationRefusedException(400, $"{path}: not JSON: {error.Message}");
        }
    }

    private static Dictionary<string, string> Pairs(string[]? texts, char separator, string expected)
    {
        var pairs = new Dictionary<string, string>();
        foreach (var text in texts ?? [])
        {
            var at = text.IndexOf(separator, StringComparison.Ordinal);
            if (at <= 0)
                throw new OperationRefusedException(400, $"'{text}': {expected} is needed");
            pairs[text[..at]] = text[(at + 1)..];
        }
        return pairs;
    }
}
