using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <param name="NodeCores">CPU quota of every node; the sum stays below what the machine has, so that one node's overload is not felt by the others.</param>
public sealed record SiteOptions(int Nodes = 3, double NodeCores = 0.45, long NodeMemoryBytes = 512L << 20)
{
    /// <summary>Changes a node's configuration before its first start; the argument is the node's number, from 1.</summary>
    public Action<int, JsonObject>? Configure { get; init; }
}

/// <summary>A whole site on one machine: a switch, nodes, and the "field" namespace in which sensors and readers of results live.</summary>
public sealed class Site : IAsyncDisposable
{
    public const int FieldIndex = 100;
    private readonly LabRun _run;
    private readonly List<Node> _nodes = [];

    private Site(LabRun run, SiteOptions options, NetworkNamespace @switch, NetworkNamespace field)
    {
        Options = options;
        _run = run;
        Switch = @switch;
        Field = field;
        FieldCgroup = run.Cgroup.Child("field");
    }

    public SiteOptions Options { get; }

    public string RunId => _run.Id;

    public string Directory => _run.Directory;

    public NetworkNamespace Switch { get; }

    public NetworkNamespace Field { get; }

    public Cgroup FieldCgroup { get; }

    public IReadOnlyList<Node> Nodes => _nodes;

    public Node this[string name] => _nodes.First(node => node.Name == name);

    public EventLog Events { get; } = new();

    /// <summary>Builds the site and starts the engines; the firmware is started by <see cref="StartFirmwareAsync"/>.</summary>
    public static async Task<Site> BuildAsync(SiteOptions options)
    {
        var run = await LabRun.BeginAsync();
        try
        {
            var @switch = await NetworkNamespace.CreateAsync($"{run.Id}-switch");
            await @switch.IpAsync("link add lan type bridge");
            await @switch.IpAsync("link set lan up");
            var field = await NetworkNamespace.CreateAsync($"{run.Id}-field");
            var site = new Site(run, options, @switch, field);
            await site.PlugAsync(field, "field", FieldIndex);
            var siteKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
            for (var index = 1; index <= options.Nodes; index++)
                await site.AddNodeAsync(index, siteKey, options);
            await Task.WhenAll(site._nodes.Select(node => node.Engine.StartAsync()));
            return site;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the firmware everywhere and waits until every node sees every other one alive and ready for work.</summary>
    public async Task StartFirmwareAsync(CancellationToken cancel = default)
    {
        foreach (var node in _nodes)
        {
            node.Firmware.Start();
            Events.Follow(node.Name, node.Api);
        }
        await UntilMeshedAsync(_nodes, TimeSpan.FromSeconds(30), cancel);
    }

    /// <summary>Every one of these nodes sees every other one alive at level 2.</summary>
    public static async Task UntilMeshedAsync(IReadOnlyList<Node> nodes, TimeSpan within, CancellationToken cancel = default)
    {
        foreach (var node in nodes)
        {
            var seen = "nothing yet";
            await Until.TrueAsync(
                async () =>
                {
                    if (!node.Firmware.IsRunning)
                        throw new InvalidOperationException($"{node.Name} has ended:\n{node.Firmware.LastLog()}");
                    if (!await node.IsHealthyAsync())
                        return false;
                    try
                    {
                        var peers = await node.PeersAsync(cancel);
                        seen = string.Join(", ", peers.Select(peer => $"{peer.Name} {peer.Status} {peer.Level}"));
                        return nodes.Where(other => other != node)
                            .All(other => peers.Any(peer => peer.Name == other.Name && peer.Status == "alive" && peer.Level == 2));
                    }
                    catch (FirmwareException exception)
                    {
                        seen = exception.Message;
                        return false;
                    }
                },
                within,
                $"{node.Name} sees its {nodes.Count - 1} peers alive at level 2",
                cancel,
                () => $"{seen}\n{node.Firmware.LastLog()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Events.DisposeAsync();
        foreach (var node in _nodes)
            await node.DisposeAsync();
        KeepLogs();
        await _run.DisposeAsync();
    }

    private async Task AddNodeAsync(int index, string siteKey, SiteOptions options)
    {
        var name = $"gate-{index}";
        var network = await NetworkNamespace.CreateAsync($"{RunId}-{name}");
        await PlugAsync(network, name, index);
        var cgroup = _run.Cgroup.Child(name);
        cgroup.LimitMemory(options.NodeMemoryBytes);
        var directory = Path.Combine(Directory, name);
        var seeds = Enumerable.Range(1, options.Nodes).Where(other => other != index).Select(other => (JsonNode)$"{Node.AddressOf(other)}:7900");
        var configuration = new JsonObject
        {
            ["Node"] = new JsonObject { ["Name"] = name, ["Location"] = "46.0679,11.1211" },
            ["DataDirectory"] = Path.Combine(directory, "data"),
            ["Mqtt"] = new JsonObject { ["Listen"] = new JsonArray("0.0.0.0:1883"), ["AllowAnonymous"] = true },
            ["Api"] = new JsonObject { ["Listen"] = "0.0.0.0:8080" },
            ["Mesh"] = new JsonObject { ["Listen"] = $"{Node.AddressOf(index)}:7900", ["Seeds"] = new JsonArray([.. seeds]), ["SiteKey"] = siteKey },
        };
        options.Configure?.Invoke(index, configuration);
        _nodes.Add(new Node(name, index, network, Switch, cgroup, _run.Cgroup.Child($"{name}-engine"), directory, options.NodeCores, configuration));
    }

    /// <summary>A cable from the switch to a namespace. Both ends are made where they belong: the machine's own network never sees them.</summary>
    private async Task PlugAsync(NetworkNamespace network, string port, int index)
    {
        await Command.LineAsync($"ip -n {Switch.Name} link add {port} type veth peer name eth0 netns {network.Name}");
        await Switch.IpAsync($"link set {port} master lan");
        await Switch.IpAsync($"link set {port} up");
        await network.IpAsync($"addr add {Node.AddressOf(index)}/24 dev eth0");
        await network.IpAsync("link set eth0 up");
    }

    /// <summary><c>EDGE_LAB_LOGS=DIR</c> keeps the firmware's logs of a run for whoever wants to know why it failed.</summary>
    private void KeepLogs()
    {
        if (Environment.GetEnvironmentVariable("EDGE_LAB_LOGS") is not { Length: > 0 } keep)
            return;
        System.IO.Directory.CreateDirectory(keep);
        foreach (var node in _nodes)
            foreach (var log in new[] { node.Firmware.LogFile, node.Engine.LogFile })
                if (File.Exists(log))
                    File.Copy(log, Path.Combine(keep, $"{RunId}-{node.Name}-{Path.GetFileName(log)}"), overwrite: true);
    }
}
