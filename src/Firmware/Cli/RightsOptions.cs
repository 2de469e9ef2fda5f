using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Users;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>The options that users and tenants have in common: rules and quotas.</summary>
internal sealed class RightsOptions
{
    private readonly Option<string[]> _rules = new("--rule")
    {
        Description = "for example 'allow read,write site/%u/#'; may be repeated", HelpName = "RULE",
    };

    private readonly Option<string[]> _quotas = new("--quota")
    {
        Description = $"NAME=number, or NAME=none; may be repeated; {QuotaNames.All}", HelpName = "NAME=N",
    };

    public Command AddTo(Command command)
    {
        command.Options.Add(_rules);
        command.Options.Add(_quotas);
        return command;
    }

    /// <exception cref="OperationRefusedException">A quota is no number.</exception>
    public UserChange Read(ParseResult parsed) => new()
    {
        AddRules = parsed.GetValue(_rules) is { Length: > 0 } rules ? rules : null,
        Quotas = parsed.GetValue(_quotas) is { Length: > 0 } quotas ? Quotas(quotas) : null,
    };

    public static JsonObject Of(UserChange change) => JsonSerializer.SerializeToNode(change, FirmwareJson.Default.UserChange)!.AsObject();

    private static Dictionary<string, double?> Quotas(string[] texts)
    {
        var quotas = new Dictionary<string, double?>();
        foreach (var text in texts)
        {
            var parts = text.Split('=');
            double? value = null;
            if (parts.Length != 2 || (parts[1] != "none" && (value = Number(parts[1])) is null))
                throw new OperationRefusedException(400, $"--quota {text}: NAME=number or NAME=none is needed");
            quotas[parts[0]] = value;
        }
        return quotas;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) ? number : null;
}
