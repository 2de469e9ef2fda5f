using System.CommandLine;
using System.Text.Json;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>What users have in common.</summary>
internal static class TenantCommands
{
    public static Command Create() => new("tenants", "Rules and quotas that users have in common.")
    {
        List(),
        Show(),
        Set("add", "added", "Add a tenant."),
        Set("change", "changed", "Change a tenant; what is not named stays."),
        RuleCommands.Allow("tenant"),
        RuleCommands.Deny("tenant"),
        RuleCommands.Forget("tenant"),
        Remove(),
    };

    /// <summary>Addresses whose logins are refused.</summary>
    public static Command Logins()
    {
        var node = new NodeChoice();
        var pardon = new Option<string?>("--pardon") { Description = "hear this address again", HelpName = "ADDRESS" };
        var command = node.AddTo(new Command("logins", "Show failed logins and the addresses that are refused.") { pardon });
        command.SetAction((parsed, cancel) => node.AskAsync(
            parsed, parsed.GetValue(pardon) is { } address ? new ControlRequest("pardon", address) : new ControlRequest("logins"), (answer, output) =>
            {
                var logins = answer.Deserialize(FirmwareJson.Default.LoginsView)!;
                output.WriteLine($"{logins.Failures} failed, {logins.Slowed} slowed, {logins.Refusals} refused");
                foreach (var refused in logins.Refused)
                    output.WriteLine($"{refused.Address} is refused for {refused.SecondsLeft} s more");
            }, cancel));
        return command;
    }

    private static Command List()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("list", "List the tenants."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("tenants"), (answer, output) =>
        {
            var table = new TextTable("NAME", "USERS", "RULES");
            foreach (var tenant in answer.Deserialize(FirmwareJson.Default.TenantViewArray)!)
                table.Add(tenant.Name, tenant.Users.ToString(), tenant.Rules.Count.ToString());
            table.Write(output);
        }, cancel));
        return command;
    }

    private static Command Show()
    {
        var node = new NodeChoice();
        var name = Name();
        var command = node.AddTo(new Command("show", "Show a tenant: rules, quotas and what is used of them.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("tenant", parsed.GetValue(name)), (answer, output) =>
        {
            var tenant = answer.Deserialize(FirmwareJson.Default.TenantView)!;
            output.WriteLine($"tenant    {tenant.Name}, {tenant.Users} users");
            RuleCommands.Print(tenant.Rules, tenant.Quotas, tenant.Workloads, tenant.Usage, output);
        }, cancel));
        return command;
    }

    private static Command Set(string verb, string done, string description)
    {
        var node = new NodeChoice();
        var rights = new RightsOptions();
        var name = Name();
        var command = node.AddTo(rights.AddTo(new Command(verb, description) { name }));
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () => await node.AskAsync(
            parsed, new ControlRequest($"tenant-{verb}", parsed.GetValue(name), Spec: RightsOptions.Of(rights.Read(parsed))),
            (answer, output) => output.WriteLine($"{answer.Deserialize(FirmwareJson.Default.TenantView)!.Name} {done}"), cancel)));
        return command;
    }

    private static Command Remove()
    {
        var node = new NodeChoice();
        var name = Name();
        var command = node.AddTo(new Command("remove", "Remove a tenant that has no users.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("tenant-remove", parsed.GetValue(name)), (answer, output) =>
            output.WriteLine($"{answer.Deserialize(FirmwareJson.Default.TenantView)!.Name} removed"), cancel));
        return command;
    }

    private static Argument<string> Name() => new("NAME") { Description = "tenant" };
}
