using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Users of the broker.</summary>
internal static class UserCommands
{
    /// <param name="input">Where a password comes from.</param>
    public static Command Create(Stream input) => new("users", "Who may use the broker, and what they may do.")
    {
        List(),
        Show(),
        Add(input),
        Change(),
        Password(input),
        RuleCommands.Allow("user"),
        RuleCommands.Deny("user"),
        RuleCommands.Forget("user"),
        Remove(),
    };

    private static Command List()
    {
        var node = new NodeChoice();
        var command = node.AddTo(new Command("list", "List the users."));
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("users"), (answer, output) =>
        {
            var table = new TextTable("NAME", "TENANT", "ENABLED", "PASSWORD", "RULES");
            foreach (var user in answer.Deserialize(FirmwareJson.Default.UserViewArray)!)
                table.Add(user.Name, user.Tenant ?? "-", user.Enabled ? "yes" : "no", user.Password ? "yes" : "no", user.Rules.Count.ToString());
            table.Write(output);
        }, cancel));
        return command;
    }

    private static Command Show()
    {
        var node = new NodeChoice();
        var name = Name();
        var command = node.AddTo(new Command("show", "Show a user: rules, quotas and what is used of them.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("user", parsed.GetValue(name)), (answer, output) =>
        {
            var user = answer.Deserialize(FirmwareJson.Default.UserView)!;
            output.WriteLine($"user      {user.Name}{(user.Enabled ? "" : ", disabled")}{(user.Password ? "" : ", no password")}");
            output.WriteLine($"tenant    {user.Tenant ?? "none"}");
            RuleCommands.Print(user.Rules, user.Quotas, user.Workloads, user.Usage, output);
        }, cancel));
        return command;
    }

    private static Command Add(Stream input)
    {
        var node = new NodeChoice();
        var rights = new RightsOptions();
        var name = Name();
        var tenant = Tenant();
        var generate = Generate();
        var none = new Option<bool>("--no-password") { Description = "no password will do; for client certificates" };
        var command = node.AddTo(rights.AddTo(new Command(
            "add", "Add a user; the password is asked for, or the first line of standard input. Without a tenant and rules it may do everything.")
        {
            name, tenant, generate, none,
        }));
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var change = rights.Read(parsed) with { Tenant = parsed.GetValue(tenant), Generate = parsed.GetValue(generate) };
            if (!change.Generate && !parsed.GetValue(none))
                change = change with { Password = await PasswordPrompt.ReadAsync(input, parsed.InvocationConfiguration.Error, cancel) };
            return await node.AskAsync(parsed, new ControlRequest("user-add", parsed.GetValue(name), Spec: RightsOptions.Of(change)), PrintChanged, cancel);
        }));
        return command;
    }

    private static Command Change()
    {
        var node = new NodeChoice();
        var rights = new RightsOptions();
        var name = Name();
        var tenant = Tenant();
        var enabled = new Option<bool?>("--enabled") { Description = "whether it may connect" };
        var command = node.AddTo(rights.AddTo(new Command("change", "Change a user; what is not named stays.") { name, tenant, enabled }));
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var change = rights.Read(parsed) with { Tenant = parsed.GetValue(tenant), Enabled = parsed.GetValue(enabled) };
            return await node.AskAsync(parsed, new ControlRequest("user-change", parsed.GetValue(name), Spec: RightsOptions.Of(change)), PrintChanged, cancel);
        }));
        return command;
    }

    private static Command Password(Stream input)
    {
        var node = new NodeChoice();
        var name = Name();
        var generate = Generate();
        var command = node.AddTo(new Command("password", "Give a user another password; who is connected by the old one is disconnected.") { name, generate });
        command.SetAction((parsed, cancel) => node.GuardAsync(parsed, async () =>
        {
            var change = parsed.GetValue(generate)
                ? new UserChange { Generate = true }
                : new UserChange { Password = await PasswordPrompt.ReadAsync(input, parsed.InvocationConfiguration.Error, cancel) };
            return await node.AskAsync(parsed, new ControlRequest("user-change", parsed.GetValue(name), Spec: RightsOptions.Of(change)), PrintChanged, cancel);
        }));
        return command;
    }

    private static Command Remove()
    {
        var node = new NodeChoice();
        var name = Name();
        var command = node.AddTo(new Command("remove", "Remove a user; its clients are disconnected and their sessions end.") { name });
        command.SetAction((parsed, cancel) => node.AskAsync(parsed, new ControlRequest("user-remove", parsed.GetValue(name)), (answer, output) =>
            output.WriteLine($"{answer.Deserialize(FirmwareJson.Default.UserView)!.Name} removed"), cancel));
        return command;
    }

    /// <summary>What a change did, and the password that was made.</summary>
    public static void PrintChanged(JsonNode answer, TextWriter output)
    {
        var changed = answer.Deserialize(FirmwareJson.Default.UserChangedView)!;
        output.WriteLine($"{changed.User.Name} {changed.Effect}");
        if (changed.Password is { } password)
            output.WriteLine($"password  {password}");
    }

    private static Argument<string> Name() => new("NAME") { Description = "user name" };

    private static Option<string?> Tenant() => new("--tenant") { Description = "whose rules and quotas hold too; empty for none", HelpName = "NAME" };

    private static Option<bool> Generate() => new("--generate") { Description = "make a password and print it" };
}
