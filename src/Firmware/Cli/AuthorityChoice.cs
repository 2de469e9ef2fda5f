using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Site;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>Where the authority is: in a directory that no node uses, or with a node that runs.</summary>
internal sealed class AuthorityChoice(bool isOfflineOnly = false)
{
    private readonly Option<string?> _directory = new("--dir") { Description = "the authority's directory", HelpName = "DIR", Required = isOfflineOnly };
    private readonly Option<bool> _json = new("--json") { Description = "print JSON" };
    private readonly NodeChoice _node = new();

    public Command AddTo(Command command)
    {
        command.Options.Add(_directory);
        if (!isOfflineOnly)
            return _node.AddTo(command);
        command.Options.Add(_json);
        return command;
    }

    public string Directory(ParseResult parsed) => Path.GetFullPath(parsed.GetValue(_directory) ?? ".");

    /// <summary>Does it with the directory, or has the node do it.</summary>
    public Task<int> DoAsync<T>(
        ParseResult parsed, ControlRequest request, Func<OfflineAuthority, Task<T>> offline, JsonTypeInfo<T> type, Action<T, TextWriter> print, CancellationToken cancel)
        where T : class
    {
        if (parsed.GetValue(_directory) is null)
            return _node.AskAsync(parsed, request, (answer, output) => print(answer.Deserialize(type)!, output), cancel);
        return GuardAsync(parsed, async output =>
        {
            using var authority = OfflineAuthority.Open(Directory(parsed), TimeProvider.System);
            var done = await offline(authority);
            Print(parsed, done, type, () => print(done, output));
        });
    }

    public Task<int> GuardAsync(ParseResult parsed, Func<TextWriter, Task> action) =>
        Problem.GuardAsync(IsJson(parsed), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, async () =>
        {
            await action(parsed.InvocationConfiguration.Output);
            return ExitCode.Done;
        });

    public void Print<T>(ParseResult parsed, T view, JsonTypeInfo<T> type, Action asText)
        where T : class
    {
        if (IsJson(parsed))
            parsed.InvocationConfiguration.Output.WriteLine(JsonSerializer.SerializeToNode(view, type)!.ToJsonString(JsonText.Indented));
        else
            asText();
    }

    private bool IsJson(ParseResult parsed) => isOfflineOnly ? parsed.GetValue(_json) : _node.IsJson(parsed);
}
