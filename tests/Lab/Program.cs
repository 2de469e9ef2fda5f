using System.Runtime.InteropServices;
using EdgeFirmware.Lab.Bench;
using EdgeFirmware.Lab.Demo;
using EdgeFirmware.Lab.Sites;

if (Requirements.Missing() is { } reason)
{
    Console.Error.WriteLine($"lab: {reason}");
    return 2;
}
if (!File.Exists(NodeFirmware.Binary))
{
    Console.Error.WriteLine($"lab: {NodeFirmware.Binary} is missing; run ./build.sh");
    return 2;
}

// Ctrl-C and SIGTERM end the work in order; everything that was built is taken down.
using var end = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, End);
try
{
    return args switch
    {
        ["demo"] => await DemoCommand.RunAsync(end.Token),
        ["bench-migration", var moves, var file] => await MigrationBench.RunAsync(int.Parse(moves), file, end.Token),
        _ => Usage(),
    };
}
catch (OperationCanceledException) when (end.IsCancellationRequested)
{
    Console.Error.WriteLine("lab: interrupted; everything was taken down");
    return 130;
}
catch (Exception exception) when (exception is TimeoutException or FirmwareException or InvalidOperationException)
{
    Console.Error.WriteLine($"lab: {exception.Message}");
    return 1;
}

void End(PosixSignalContext context)
{
    context.Cancel = true;
    end.Cancel();
}

static int Usage()
{
    Console.Error.WriteLine("usage: demo | bench-migration MOVES RESULT.md");
    return 2;
}
