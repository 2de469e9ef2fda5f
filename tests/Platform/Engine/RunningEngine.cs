using System.Diagnostics;
using System.Net.Sockets;
using EdgeFirmware.Platform.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>A real engine of its own in a temporary directory: own storage, own socket, own network namespace. Disposing it leaves no process,
/// mount, cgroup or file behind.</summary>
public sealed class RunningEngine : IAsyncDisposable
{
    private static readonly TimeSpan StartMax = TimeSpan.FromSeconds(60);
    private static int _count;

    private readonly string _directory;
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RunningEngine(bool podman, int? storageMegabytes)
    {
        IsPodman = podman;
        var id = $"{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";
        _directory = Path.Combine(Path.GetTempPath(), $"edge-engine-{id}");
        Directory.CreateDirectory(_directory);
        CgroupParent = $"edge-test-{id}";
        if (storageMegabytes is { } megabytes)
            MountSmallStorage(megabytes);
        Socket = Path.Combine(_directory, "engine.sock");
        _process = podman ? Podman() : Docker();
        _process.OutputDataReceived += (_, line) => Heard(line.Data);
        _process.ErrorDataReceived += (_, line) => Heard(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += KillNow;
        Adapter = new DockerEngine(Socket, TimeProvider.System, NullLogger<DockerEngine>.Instance);
        Raw = new RawEngine(Socket);
    }

    public bool IsPodman { get; }

    public string Socket { get; }

    public string StorageDirectory => Path.Combine(_directory, "data");

    /// <summary>Every container belongs here, so that no cgroup outlives the tests.</summary>
    public string CgroupParent { get; }

    public DockerEngine Adapter { get; }

    public RawEngine Raw { get; }

    public int ProcessId => _process.Id;

    /// <param name="storageMegabytes">The engine's storage gets a filesystem of this size of its own.</param>
    public static async Task<RunningEngine> StartAsync(bool podman, int? storageMegabytes = null)
    {
        var engine = new RunningEngine(podman, storageMegabytes);
        try
        {
            await engine._listening.Task.WaitAsync(StartMax);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillNow;
        try
        {
            if (!_process.HasExited)
                await Raw.RemoveAllContainersAsync();
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException)
        {
            // It died in a test. What is left is removed below.
        }
        Adapter.Dispose();
        Raw.Dispose();
        await StopProcessAsync();
        await UnmountAsync();
        RemoveCgroups();
        Directory.Delete(_directory, recursive: true);
    }

    private Process Docker()
    {
        // A network namespace of its own: several engines have a docker0 each, and the machine's firewall stays untouched.
        var start = Quiet("unshare", "--net", "--", "sh", "-c", "ip link set lo up; exec \"$0\" \"$@\"", NeedsAttribute.Find("dockerd")!,
            "--data-root", StorageDirectory, "--exec-root", Path.Combine(_directory, "exec"), "--pidfile", Path.Combine(_directory, "pid"),
            "-H", $"unix://{Socket}", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
            "--userland-proxy=false", "--cgroup-parent", $"/{CgroupParent}");
        return new Process { StartInfo = start };
    }

    private Process Podman()
    {
        var configuration = Path.Combine(_directory, "containers.conf");
        // Limits that every test machine can set, and no network, which would need CNI plugins.
        File.WriteAllText(configuration, "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=1024:1024\"]\nnetns=\"none\"\n");
        var start = Quiet(NeedsAttribute.Find("podman")!,
            "--log-level", "info", "--root", StorageDirectory, "--runroot", Path.Combine(_directory, "run"), "--tmpdir", Path.Combine(_directory, "tmp"),
            "--storage-driver", "overlay", "--cgroup-manager=cgroupfs", "--events-backend=file", "--runtime", "runc",
            "system", "service", "-t", "0", $"unix://{Socket}");
        start.Environment["CONTAINERS_CONF"] = configuration;
        start.Environment["TMPDIR"] = _directory;
        return new Process { StartInfo = start };
    }

    private void MountSmallStorage(int megabytes)
    {
        Directory.CreateDirectory(StorageDirectory);
        using var mount = Process.Start("mount", ["-t", "tmpfs", "-o", $"size={megabytes}m", "edge-test", StorageDirectory]);
        mount.WaitForExit();
        Assert.Equal(0, mount.ExitCode);
    }

    private static ProcessStartInfo Quiet(string program, params string[] arguments) =>
        new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };

    private void Heard(string? line)
    {
        if (line is null)
        {
            // End of one of the two outputs: the program ended.
            _listening.TrySetException(new InvalidOperationException($"the engine ended: {string.Join('\n', _output)}"));
            return;
        }
        lock (_output)
            _output.Add(line);
        if (line.Contains("API listen on", StringComparison.Ordinal) || line.Contains("API service listening on", StringComparison.Ordinal))
            _listening.TrySetResult();
    }

    private void KillNow(object? sender, EventArgs e)
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
    }

    private async Task StopProcessAsync()
    {
        if (!_process.HasExited)
        {
            using var polite = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
        }
        _process.Dispose();
    }

    private async Task UnmountAsync()
    {
        foreach (var line in (await File.ReadAllLinesAsync("/proc/self/mounts")).Reverse())
        {
            var point = line.Split(' ')[1];
            if (!point.StartsWith(_directory, StringComparison.Ordinal))
                continue;
            using var unmount = Process.Start("umount", ["-l", point]);
            await unmount.WaitForExitAsync();
        }
    }

    /// <summary>Podman leaves a monitor of every executed command for five minutes, in a cgroup below ours.</summary>
    private void RemoveCgroups()
    {
        // Found by name: Docker puts a parent below the cgroup that it runs in itself.
        foreach (var parent in Directory.GetDirectories("/sys/fs/cgroup", CgroupParent, SearchOption.AllDirectories))
            if (Directory.Exists(parent))
                RemoveCgroup(parent);
    }

    private static void RemoveCgroup(string cgroup)
    {
        foreach (var child in Directory.GetDirectories(cgroup))
            RemoveCgroup(child);
        while (File.ReadAllLines(Path.Combine(cgroup, "cgroup.procs")) is [var first, ..])
            if (Alive(int.Parse(first)) is { } process)
                using (process)
                {
                    process.Kill();
                    process.WaitForExit();
                }
        Directory.Delete(cgroup);
    }

    private static Process? Alive(int id)
    {
        try
        {
            return Process.GetProcessById(id);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
