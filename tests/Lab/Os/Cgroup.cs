using System.Globalization;

namespace EdgeFirmware.Lab.Os;

/// <summary>A cgroup of a lab run, under version 1 (one directory per controller) or 2 (one directory). Processes are put only into
/// leaves, as version 2 demands.</summary>
public sealed class Cgroup
{
    private const string Root = "/sys/fs/cgroup";
    private static readonly string[] Controllers = ["cpu", "cpuacct", "memory", "pids"];

    private Cgroup(string path) => Path = path;

    public static bool IsVersion2 { get; } = File.Exists($"{Root}/cgroup.controllers");

    /// <summary>As an engine takes it for a parent: <c>/run/node</c>.</summary>
    public string Path { get; }

    /// <summary>The directories a process must be written into to be in this cgroup.</summary>
    public IReadOnlyList<string> Directories => DirectoriesOf(Path);

    /// <summary>The directory to look into for processes and children.</summary>
    public string Primary => Directories[0];

    public static Cgroup Create(string path)
    {
        foreach (var directory in DirectoriesOf(path))
            Directory.CreateDirectory(directory);
        return new Cgroup(path);
    }

    /// <summary>Makes a child. Version 2: the controllers are handed down first.</summary>
    public Cgroup Child(string name)
    {
        if (IsVersion2)
        {
            HandDown(Root);
            var handed = "";
            foreach (var part in Path.Split('/', StringSplitOptions.RemoveEmptyEntries))
                HandDown(Root + (handed += "/" + part));
        }
        return Create($"{Path}/{name}");
    }

    /// <summary>A hard CPU quota. A period of 20 ms, not the usual 100: a slow processor is slow evenly, it does not stop for 90 ms.</summary>
    public void LimitCpu(double cores, int periodMicroseconds = 20_000)
    {
        var quota = (int)(cores * periodMicroseconds);
        if (IsVersion2)
        {
            Write("cpu.max", $"{quota} {periodMicroseconds}");
            return;
        }
        File.WriteAllText($"{Root}/cpu{Path}/cpu.cfs_period_us", periodMicroseconds.ToString(CultureInfo.InvariantCulture));
        File.WriteAllText($"{Root}/cpu{Path}/cpu.cfs_quota_us", quota.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Its part when there is not enough for all; 100 is everybody's, as in a systemd unit.</summary>
    public void WeighCpu(int weight)
    {
        if (IsVersion2)
            Write("cpu.weight", weight.ToString(CultureInfo.InvariantCulture));
        else
            File.WriteAllText($"{Root}/cpu{Path}/cpu.shares", (weight * 1024 / 100).ToString(CultureInfo.InvariantCulture));
    }

    public void LimitMemory(long bytes)
    {
        if (IsVersion2)
            Write("memory.max", bytes.ToString(CultureInfo.InvariantCulture));
        else
            File.WriteAllText($"{Root}/memory{Path}/memory.limit_in_bytes", bytes.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>CPU time used by everything in it so far.</summary>
    public TimeSpan CpuTime()
    {
        if (!IsVersion2)
            return TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText($"{Root}/cpuacct{Path}/cpuacct.usage"), CultureInfo.InvariantCulture) / 1000.0);
        var line = File.ReadLines($"{Primary}/cpu.stat").First(text => text.StartsWith("usage_usec ", StringComparison.Ordinal));
        return TimeSpan.FromMicroseconds(long.Parse(line.AsSpan("usage_usec ".Length), CultureInfo.InvariantCulture));
    }

    /// <summary>Every process in it and below.</summary>
    public IReadOnlyList<int> Processes()
    {
        var processes = new List<int>();
        if (!Directory.Exists(Primary))
            return processes;
        foreach (var directory in Directory.EnumerateDirectories(Primary, "*", SearchOption.AllDirectories).Prepend(Primary))
            processes.AddRange(ProcessesIn(directory));
        return processes;
    }

    /// <summary>Processes of one cgroup directory; none when it has just been removed.</summary>
    public static IReadOnlyList<int> ProcessesIn(string directory)
    {
        try
        {
            return File.ReadAllLines(directory + "/cgroup.procs").Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToList();
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>SIGKILL to all of it, until none is left: what a power cut does to them.</summary>
    public Task KillAsync() => Until.TrueAsync(
        () =>
        {
            var processes = Processes();
            foreach (var process in processes)
                Signals.Send(process, Signals.Kill);
            return processes.Count == 0;
        },
        TimeSpan.FromSeconds(10),
        $"processes of {Path} end");

    private void Write(string file, string value) => File.WriteAllText($"{Primary}/{file}", value);

    private static void HandDown(string directory) =>
        File.WriteAllText(directory + "/cgroup.subtree_control", "+cpu +memory +pids");

    private static string[] DirectoriesOf(string path) =>
        IsVersion2 ? [Root + path] : [.. Controllers.Where(name => Directory.Exists($"{Root}/{name}")).Select(name => $"{Root}/{name}{path}")];
}
