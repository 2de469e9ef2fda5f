using System.Runtime.InteropServices;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary><c>edge-firmware pub</c> and <c>edge-firmware sub</c>, from the arguments to the exit code.</summary>
internal static class MessageCommand
{
    /// <summary>The command of that name; null: it is not one of the two.</summary>
    public static FlagUse? Of(string name) => name switch
    {
        "pub" => FlagUse.Publish,
        "sub" => FlagUse.Subscribe,
        _ => null,
    };

    public static async Task<int> RunAsync(FlagUse use, string[] arguments, Stream input, Stream output, TextWriter error)
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await using var text = new StreamWriter(output, leaveOpen: true) { AutoFlush = true };
        var isJson = Array.IndexOf(arguments, "--json") >= 0;
        return await Problem.GuardAsync(isJson, text, Array.IndexOf(arguments, "--quiet") >= 0 ? TextWriter.Null : error, async () =>
        {
            var flags = FlagReader.Read(use, arguments);
            if (flags.Help)
            {
                Help(use, text);
                return ExitCode.Done;
            }

            Action<string> debug = flags.Debug ? line => error.WriteLine($"edge-firmware: {line}") : static _ => { };
            return use == FlagUse.Publish
                ? await PublishCommand.RunAsync(flags, input, text, debug, stopping.Token)
                : await SubscribeCommand.RunAsync(flags, output, flags.Quiet ? TextWriter.Null : error, debug, stopping.Token);
        });

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopping.Cancel();
        }
    }

    private static void Help(FlagUse use, TextWriter output)
    {
        output.WriteLine(use == FlagUse.Publish
            ? "Publish to the node's broker, or to another one with -h. Flags are those of mosquitto_pub."
            : "Print messages from the node's broker, or from another one with -h. Flags are those of mosquitto_sub.");
        output.WriteLine();
        foreach (var flag in FlagTable.All)
        {
            if (!flag.Use.HasFlag(use)) continue;
            var names = string.Join(", ", flag.Names);
            output.WriteLine($"  {(flag.Value is null ? names : $"{names} {flag.Value}"),-40} {flag.Help}");
        }
    }
}
