using System.Diagnostics;

namespace EdgeFirmware.Lab.Os;

/// <summary>A program that runs beside the lab: inside a cgroup (so that it is found again, whatever happens to the lab), in a network
/// namespace, in a session of its own (so that Ctrl-C reaches only the lab, which then ends it in order).</summary>
public sealed class Child : IDisposable
{
    private readonly Process _process;

    private Child(Process process) => _process = process;

    public int ProcessId => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public StreamWriter Input => _process.StandardInput;

    /// <param name="privateMounts">It gets a mount namespace of its own: what it mounts disappears with its last process.</param>
    /// <param name="onLine">Called for every line of either output, from other threads.</param>
    /// <param name="logFile">Where the output goes instead; nobody then waits for descendants that still hold it open.</param>
    public static Child Start(
        Cgroup cgroup, NetworkNamespace network, IReadOnlyList<string> command, Action<string>? onLine = null, bool privateMounts = false,
        IReadOnlyDictionary<string, string>? environment = null, string? logFile = null)
    {
        var log = logFile is null ? "" : $" >>{logFile} 2>&1";
        var enterCgroup = $"for directory in $0; do echo $$ > $directory/cgroup.procs || exit 125; done; exec \"$@\"{log}";
        List<string> arguments = ["-c", enterCgroup, string.Join(' ', cgroup.Directories), "setsid", "nsenter", "--net=" + network.File];
        if (privateMounts)
            arguments.AddRange(["unshare", "--mount"]);
        arguments.AddRange(command);
        var start = Command.Start("/bin/sh", arguments);
        start.RedirectStandardInput = true;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Deliver(line.Data);
        process.ErrorDataReceived += (_, line) => Deliver(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new Child(process);

        void Deliver(string? line)
        {
            if (line is not null)
                onLine?.Invoke(line);
        }
    }

    public void Signal(int signal)
    {
        if (!_process.HasExited)
            Signals.Send(_process.Id, signal);
    }

    /// <exception cref="TimeoutException">It still runs.</exception>
    public async Task ExitAsync(TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList.Skip(3))} still runs after {within}");
        }
    }

    public void Dispose() => _process.Dispose();
}
