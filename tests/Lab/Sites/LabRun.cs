using System.Diagnostics;
using System.Security.Cryptography;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>One use of the machine by the lab. Everything it makes carries its ID, and <c>clean.sh</c> removes it all: when the run is
/// disposed, and also when this process dies in any way, because a small shell waits for the end of a pipe that only this process holds.</summary>
public sealed class LabRun : IAsyncDisposable
{
    private readonly Process _reaper;

    private LabRun(string id, string directory, Process reaper)
    {
        Id = id;
        Directory = directory;
        _reaper = reaper;
        Cgroup = Cgroup.Create("/" + id);
    }

    /// <summary><c>edge-</c> and six hexadecimal digits.</summary>
    public string Id { get; }

    /// <summary>Short enough to begin an interface name with (15 characters in all).</summary>
    public string LinkPrefix => Id["edge-".Length..];

    public string Directory { get; }

    public Cgroup Cgroup { get; }

    public static string CleanScript => Path.Combine(AppContext.BaseDirectory, "clean.sh");

    public static string Home => Environment.GetEnvironmentVariable("EDGE_LAB_HOME") ?? "/var/tmp/edge-lab";

    public static async Task<LabRun> BeginAsync()
    {
        await Command.RunAsync("/bin/bash", CleanScript, "--stale");
        var id = Environment.GetEnvironmentVariable("EDGE_LAB_RUN") ?? "edge-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
        var directory = Path.Combine(Home, id);
        System.IO.Directory.CreateDirectory(directory);
        var stat = await File.ReadAllTextAsync($"/proc/{Environment.ProcessId}/stat");
        var startTime = stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        await File.WriteAllTextAsync(Path.Combine(directory, "owner"), $"{Environment.ProcessId} {startTime}\n");
        return new LabRun(id, directory, StartReaper(id));
    }

    /// <summary>What is left of a run, a line each; empty when all is gone.</summary>
    public static async Task<string> LeftOverAsync(string id) =>
        (await Command.TryAsync("/bin/bash", [CleanScript, "--check", id])).Output;

    public async ValueTask DisposeAsync()
    {
        _reaper.StandardInput.Close();
        await _reaper.WaitForExitAsync();
        _reaper.Dispose();
    }

    private static Process StartReaper(string id)
    {
        // The copy is what runs: a build may replace the script while the lab is up.
        var copy = Path.Combine(Home, id, "clean.sh");
        File.Copy(CleanScript, copy, overwrite: true);
        var start = Command.Start("setsid", ["/bin/bash", "-c", "cat >/dev/null; script=$(cat \"$0\"); exec bash -c \"$script\" clean.sh \"$1\" >/dev/null 2>&1", copy, id]);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = false;
        start.RedirectStandardError = false;
        var process = new Process { StartInfo = start };
        process.Start();
        return process;
    }
}
