using System.CommandLine;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Operations;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>The options by which a command finds its node, and what every command does with the answer.</summary>
internal sealed class NodeChoice
{
    private const string UsualConfiguration = "/etc/edge-firmware/config.json";
    private const string UsualData = "/var/lib/edge-firmware";

    private readonly Option<string?> _config = new("--config") { Description = "configuration file of the node", HelpName = "FILE" };
    private readonly Option<string?> _data = new("--data") { Description = "data directory of the node", HelpName = "DIR" };
    private readonly Option<bool> _json = new("--json") { Description = "print JSON, as the HTTP API does" };

    public Command AddTo(Command command)
    {
        command.Options.Add(_config);
        command.Options.Add(_data);
        command.Options.Add(_json);
        return command;
    }

    public bool IsJson(ParseResult parsed) => parsed.GetValue(_json);

    /// <exception cref="ConfigurationException">The configuration file is faulty.</exception>
    public string DataDirectory(ParseResult parsed) => DataDirectory(parsed.GetValue(_data), parsed.GetValue(_config));

    /// <summary>Of the node that the two options name, or of the usual one.</summary>
    /// <exception cref="ConfigurationException">The configuration file is faulty.</exception>
    public static string DataDirectory(string? data, string? config)
    {
        if (data is not null)
            return Path.GetFullPath(data);
        if (config is not null)
            return ConfigurationReader.ReadFile(config, Environment.GetEnvironmentVariables()).DataDirectory;
        return File.Exists(UsualConfiguration)
            ? ConfigurationReader.ReadFile(UsualConfiguration, Environment.GetEnvironmentVariables()).DataDirectory
            : UsualData;
    }

    /// <summary>As the configuration says, or else the host name.</summary>
    /// <exception cref="ConfigurationException">The configuration file is faulty.</exception>
    public string DeviceName(ParseResult parsed)
    {
        var config = parsed.GetValue(_config) ?? (File.Exists(UsualConfiguration) ? UsualConfiguration : null);
        return config is null ? Environment.MachineName.Split('.')[0] : ConfigurationReader.ReadFile(config, Environment.GetEnvironmentVariables()).Name;
    }

    /// <summary>Asks the node one thing and prints the answer.</summary>
    public Task<int> AskAsync(ParseResult parsed, ControlRequest request, Action<JsonNode, TextWriter> print, CancellationToken cancel) =>
        AskAsync(parsed, request, static _ => { }, print, cancel);

    /// <param name="seen">Given every answer, whatever is printed of it.</param>
    public Task<int> AskAsync(
        ParseResult parsed, ControlRequest request, Action<JsonNode> seen, Action<JsonNode, TextWriter> print, CancellationToken cancel) =>
        GuardAsync(parsed, async () =>
        {
            await foreach (var answer in ControlClient.AskAsync(Path.Combine(DataDirectory(parsed), "control.sock"), request, cancel))
            {
                if (answer is not null)
                    seen(answer);
                if (IsJson(parsed))
                    parsed.InvocationConfiguration.Output.WriteLine(answer?.ToJsonString(JsonText.Indented) ?? "null");
                else
                    print(answer!, parsed.InvocationConfiguration.Output);
            }
            return ExitCode.Done;
        });

    /// <inheritdoc cref="Problem.GuardAsync"/>
    public Task<int> GuardAsync(ParseResult parsed, Func<Task<int>> action) =>
        Problem.GuardAsync(IsJson(parsed), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, action);
}
