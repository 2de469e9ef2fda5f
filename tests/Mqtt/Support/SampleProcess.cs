using System.Diagnostics;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>One of <c>samples/Mqtt</c> as a process that can be killed.</summary>
internal sealed class SampleProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _lines = [];

    private SampleProcess(Process process) => _process = process;

    /// <summary>What it has printed in whole lines.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public static SampleProcess Start(params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "mqtt-samples.dll");
        var sample = new SampleProcess(Process.Start(new ProcessStartInfo("dotnet", ["exec", program, .. arguments]) { RedirectStandardOutput = true })!);
        sample._process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            lock (sample._lines) sample._lines.Add(line.Data);
        };
        sample._process.BeginOutputReadLine();
        return sample;
    }

    public Task UntilAsync(Predicate<IReadOnlyList<string>> condition, string what) => Within.Until(() => condition(Lines), what);

    /// <summary>SIGKILL, and everything it printed before.</summary>
    public async Task<IReadOnlyList<string>> KillAsync()
    {
        _process.Kill();
        await Within.Reason(_process.WaitForExitAsync());
        return Lines;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
