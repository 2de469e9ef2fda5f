using System.CommandLine;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Running;

namespace EdgeFirmware.Firmware.Cli;

internal static class RunCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config") { Description = "configuration file (JSON); EDGE__A__B variables override it", HelpName = "FILE", Required = true };
        var check = new Option<bool>("--check") { Description = "only say whether the configuration is right" };
        var command = new Command("run", "Run the node in the foreground.") { config, check };
        command.SetAction((parsed, _) => RunAsync(parsed.GetRequiredValue(config), parsed.GetValue(check)));
        return command;
    }

    private static async Task<int> RunAsync(string file, bool checkOnly)
    {
        NodeConfiguration configuration;
        try
        {
            configuration = ConfigurationReader.ReadFile(file, Environment.GetEnvironmentVariables());
        }
        catch (ConfigurationException error)
        {
            foreach (var fault in error.Faults)
                await Console.Error.WriteLineAsync($"edge-firmware: {fault}");
            return ExitCode.Usage;
        }
        if (checkOnly)
        {
            Console.WriteLine($"{file} is right");
            return ExitCode.Done;
        }
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stopping));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stopping));
        var journal = JournalLog.FromEnvironment(TimeProvider.System);
        try
        {
            var node = new RunningNode(configuration, journal, TimeProvider.System);
            using var reload = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                node.Reload();
            });
            await node.RunAsync(stopping.Token);
            return ExitCode.Done;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return ExitCode.Done; // asked to stop while it started
        }
        catch (Exception error) when (error is StorageException or SocketException or LinkException or ConfigurationException or IOException)
        {
            await Console.Error.WriteLineAsync($"edge-firmware: cannot run: {error.Message}");
            return ExitCode.Refused;
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stopping)
    {
        signal.Cancel = true;
        stopping.Cancel();
    }
}
