using System.CommandLine;
using EdgeFirmware.Firmware.Cli.Messages;

namespace EdgeFirmware.Firmware.Cli;

/// <summary>
/// All commands. Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 no node answers, 27 <c>sub -W</c> timed out.
/// </summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] arguments, Stream input, Stream output, TextWriter error)
    {
        if (arguments is [var name, .. var flags] && MessageCommand.Of(name) is { } use)
            return await MessageCommand.RunAsync(use, flags, input, output, error);
        await using var text = new StreamWriter(output, leaveOpen: true) { AutoFlush = true };
        var parsed = RootSyntax.Create(input).Parse(arguments);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { Output = text, Error = error });
        return parsed.Errors.Count > 0 ? ExitCode.Usage : code;
    }
}
