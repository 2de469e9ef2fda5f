using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>The program under test on one node, with its configuration file.</summary>
public sealed class NodeFirmware : IDisposable
{
    private readonly NetworkNamespace _network;
    private readonly Cgroup _cgroup;
    private readonly string _directory;
    private Child? _process;

    public NodeFirmware(NetworkNamespace network, Cgroup cgroup, string directory, JsonObject configuration)
    {
        _network = network;
        _cgroup = cgroup;
        _directory = directory;
        Configuration = configuration;
        Directory.CreateDirectory(directory);
    }

    /// <summary>Written to <see cref="ConfigurationFile"/> at every start.</summary>
    public JsonObject Configuration { get; }

    public string ConfigurationFile => Path.Combine(_directory, "edge-firmware.json");

    public string LogFile => Path.Combine(_directory, "edge-firmware.log");

    public bool IsRunning => _process is { HasExited: false };

    public int ProcessId => _process!.ProcessId;

    /// <summary>From the environment, else what <c>build.sh</c> made.</summary>
    public static string Binary => Environment.GetEnvironmentVariable("EDGE_FIRMWARE_BINARY")
        ?? Path.Combine(Repository.Root, "out", Repository.RuntimeIdentifier, "edge-firmware");

    /// <summary>Starts it as systemd does and returns at once.</summary>
    public void Start()
    {
        File.WriteAllText(ConfigurationFile, Configuration.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        _process?.Dispose();
        _process = Child.Start(_cgroup, _network, [Binary, "run", "--config", ConfigurationFile], logFile: LogFile);
    }

    /// <summary>SIGTERM, as systemd stops it.</summary>
    public async Task StopAsync()
    {
        _process?.Signal(Signals.Terminate);
        await ExitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>SIGKILL: the program is gone from one instruction to the next, its containers run on.</summary>
    public async Task KillAsync()
    {
        _process?.Signal(Signals.Kill);
        await ExitAsync(TimeSpan.FromSeconds(10));
    }

    /// <returns>The exit code.</returns>
    public async Task<int> ExitAsync(TimeSpan within)
    {
        if (_process is null)
            return 0;
        await _process.ExitAsync(within);
        return _process.ExitCode;
    }

    /// <summary>A command of the same program, to this node. It runs on the machine, as an operator's shell does.</summary>
    public Task<CommandOutcome> CommandAsync(CancellationToken cancel, params string[] arguments) =>
        Command.TryAsync(Binary, [.. arguments, "--config", ConfigurationFile], cancel);

    public async Task<JsonNode> JsonAsync(CancellationToken cancel, params string[] arguments)
    {
        var outcome = await CommandAsync(cancel, [.. arguments, "--json"]);
        return outcome.ExitCode == 0
            ? JsonNode.Parse(outcome.Output) ?? throw new InvalidOperationException($"{string.Join(' ', arguments)}: no JSON")
            : throw new FirmwareException(string.Join(' ', arguments), outcome);
    }

    public string Log() => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    public string LastLog(int lines = 15) => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(lines)) : "no log";

    public void Dispose() => _process?.Dispose();
}
