using System.CommandLine;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;
using EdgeFirmware.Mqtt.Access;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Single rules, of a user and of a tenant alike.</summary>
internal static class RuleCommands
{
    /// <param name="kind"><c>user</c> or <c>tenant</c>, as in the control commands.</param>
    public static Command Allow(string kind) => Add(kind, "allow", "Allow a topic pattern; %u is the user's name, %c the client ID.");

    public static Command Deny(string kind) => Add(kind, "deny", "Deny a topic pattern, whatever else allows it.");

    public static Command Forget(string kind)
    {
        var node = new NodeChoice();
        var name = Name();
        var rule = new Argument<string>("RULE") { Description = "as 'show' prints it" };
        var command = node.AddTo(new Command("forget", "Take a rule away.") { name, rule });
        command.SetAction((parsed, cancel) => AskAsync(
            node, parsed, kind, parsed.GetValue(name)!, new UserChange { RemoveRules = [parsed.GetValue(rule)!] }, cancel));
        return command;
    }

    public static void Print(IReadOnlyList<string> rules, Quotas? quotas, WorkloadQuotas? workloads, QuotaUsageView? usage, TextWriter output)
    {
        foreach (var rule in rules)
            output.WriteLine($"rule      {rule}");
        if (quotas is not null)
            output.WriteLine($"quotas    {JsonSerializer.Serialize(quotas, FirmwareJson.Default.Quotas)}");
        if (workloads is not null)
            output.WriteLine($"workloads {JsonSerializer.Serialize(workloads, FirmwareJson.Default.WorkloadQuotas)}");
        if (usage is not null)
            output.WriteLine($"in use    {JsonSerializer.Serialize(usage, FirmwareJson.Default.QuotaUsageView)}");
    }

    private static Command Add(string kind, string verb, string description)
    {
        var node = new NodeChoice();
        var name = Name();
        var rights = new Argument<string>("RIGHTS") { Description = "read, write, retain or all, separated by commas" };
        var pattern = new Argument<string>("PATTERN") { Description = "topic filter, with %u and %c" };
        var command = node.AddTo(new Command(verb, description) { name, rights, pattern });
        command.SetAction((parsed, cancel) => AskAsync(
            node, parsed, kind, parsed.GetValue(name)!,
            new UserChange { AddRules = [$"{verb} {parsed.GetValue(rights)} {parsed.GetValue(pattern)}"] }, cancel));
        return command;
    }

    private static Task<int> AskAsync(NodeChoice node, ParseResult parsed, string kind, string name, UserChange change, CancellationToken cancel) =>
        node.AskAsync(parsed, new ControlRequest($"{kind}-change", name, Spec: RightsOptions.Of(change)), (answer, output) =>
        {
            if (kind == "user")
                UserCommands.PrintChanged(answer, output);
            else
                output.WriteLine($"{answer.Deserialize(FirmwareJson.Default.TenantView)!.Name} changed");
        }, cancel);

    private static Argument<string> Name() => new("NAME") { Description = "whose rule it is" };
}
