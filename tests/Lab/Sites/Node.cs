using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>One edge device: a network namespace, a cgroup with a quota, a Docker Engine and the firmware.</summary>
public sealed class Node : IAsyncDisposable
{
    /// <summary>CPUWeight= of systemd/edge-firmware.service.</summary>
    private const int UnitCpuWeight = 400;

    private readonly NetworkNamespace _switch;
    private readonly Cgroup _hogs;
    private readonly double _cores;
    private Hog? _hog;
    private Hog? _burden;

    public Node(string name, int index, NetworkNamespace network, NetworkNamespace @switch, Cgroup cgroup, Cgroup daemons, string directory, double cores, JsonObject configuration)
    {
        Name = name;
        Index = index;
        Network = network;
        Cgroup = cgroup;
        Directory = directory;
        _switch = @switch;
        _cores = cores;
        cgroup.LimitCpu(cores);
        _hogs = cgroup.Child("hog");
        Daemons = daemons;
        Engine = new NodeEngine(network, daemons, cgroup.Path, Path.Combine(directory, "engine"));
        configuration["Engine"] ??= new JsonObject { ["Socket"] = Engine.Socket };
        var firmware = cgroup.Child("firmware");
        firmware.WeighCpu(UnitCpuWeight);
        Firmware = new NodeFirmware(network, firmware, directory, configuration);
        Api = network.HttpClient(new IPEndPoint(Address, 8080));
    }

    public string Name { get; }

    public int Index { get; }

    public IPAddress Address => AddressOf(Index);

    public string Directory { get; }

    public NetworkNamespace Network { get; }

    public Cgroup Cgroup { get; }

    public Cgroup Daemons { get; }

    public NodeEngine Engine { get; }

    public NodeFirmware Firmware { get; }

    /// <summary>The node's HTTP API, reached over the site's network.</summary>
    public HttpClient Api { get; }

    public string DataDirectory => (string)Firmware.Configuration["DataDirectory"]!;

    public static IPAddress AddressOf(int index) => new([10, 77, 0, (byte)index]);

    public async Task<IReadOnlyList<PeerView>> PeersAsync(CancellationToken cancel = default) =>
        [.. FirmwareJson.Items(await Firmware.JsonAsync(cancel, "peers")).Select(FirmwareJson.Peer)];

    public async Task<IReadOnlyList<WorkloadView>> WorkloadsAsync(CancellationToken cancel = default) =>
        [.. FirmwareJson.Items(await Firmware.JsonAsync(cancel, "workloads")).Select(FirmwareJson.Workload)];

    public async Task<WorkloadView?> WorkloadAsync(string id, CancellationToken cancel = default) =>
        (await WorkloadsAsync(cancel)).FirstOrDefault(workload => workload.Id == id);

    /// <param name="to">Node name; empty: the node picks.</param>
    public async Task<MoveView> MigrateAsync(string workload, string to = "", CancellationToken cancel = default) => FirmwareJson.Move(
        to.Length == 0
            ? await Firmware.JsonAsync(cancel, "migrate", workload)
            : await Firmware.JsonAsync(cancel, "migrate", workload, "--to", to));

    public async Task DeployAsync(JsonObject spec, CancellationToken cancel = default) =>
        await Firmware.JsonAsync(cancel, "deploy", await WriteSpecAsync(spec));

    public async Task<string> WriteSpecAsync(JsonObject spec)
    {
        var file = Path.Combine(Directory, $"{spec["name"]}.spec.json");
        await File.WriteAllTextAsync(file, spec.ToJsonString());
        return file;
    }

    /// <summary>The broker accepts connections and the API says it is healthy.</summary>
    public async ValueTask<bool> IsHealthyAsync()
    {
        try
        {
            using var response = await Api.GetAsync("healthz");
            return response.IsSuccessStatusCode;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>It has been up long enough to move workloads, and has room for one: the first seconds after a start, and other work, it keeps
    /// for itself, and would send a deployment elsewhere.</summary>
    public async Task UntilReadyAsync(TimeSpan within, CancellationToken cancel = default)
    {
        var seen = "nothing yet";
        await Until.TrueAsync(
            async () =>
            {
                if (!await IsHealthyAsync())
                    return false;
                var view = JsonNode.Parse(await Api.GetStringAsync("api/v1/node", cancel))!;
                var (level, free, up) = ((int)view["level"]!, (double)view["resources"]!["cpuFreeCores"]!, (double)view["uptimeSeconds"]!);
                seen = $"level {level} {view["levelWhy"]}, {free:0.00} cores free, up {up:0.0} s";
                return level == 2 && free > _cores / 2 && up > 4;
            },
            within, $"{Name} is ready for work", cancel, () => seen);
    }

    /// <summary>A busy loop that takes 95 % of the node's processor, evenly; with what else runs that is more than there is. Unbounded it would
    /// eat each period's quota in the first milliseconds and stop everybody for the rest, which no real processor does.</summary>
    public void Overload()
    {
        _hogs.LimitCpu(0.95 * _cores, periodMicroseconds: 5_000);
        _hog ??= Hog.Start(_hogs, Network, loops: 1);
    }

    /// <summary>Steady other work that takes so many cores and no more: the node stays useful, but it is not the best choice.</summary>
    public void Burden(double cores)
    {
        var burden = Cgroup.Child("burden");
        burden.LimitCpu(cores, periodMicroseconds: 10_000);
        _burden = Hog.Start(burden, Network, loops: 1);
    }

    public async Task UnburdenAsync()
    {
        if (_burden is not null)
            await _burden.DisposeAsync();
        _burden = null;
    }

    public async Task RelieveAsync()
    {
        if (_hog is not null)
            await _hog.DisposeAsync();
        _hog = null;
    }

    /// <summary>Everything on the node ends at the same moment: firmware, engine, containers. Its files stay.</summary>
    public async Task CutPowerAsync()
    {
        // Silent first: a dying host sends no FIN for its connections.
        await CutLinkAsync();
        await Task.WhenAll(Cgroup.KillAsync(), Daemons.KillAsync());
        Engine.ForgetRuntimeState();
        _hog = null;
    }

    /// <summary>The switch port goes down: carrier is lost.</summary>
    public Task CutLinkAsync() => _switch.IpAsync($"link set {Name} down");

    public Task RestoreLinkAsync() => _switch.IpAsync($"link set {Name} up");

    /// <summary>Packets vanish, the carrier stays: the harder case.</summary>
    public async Task DropPacketsAsync()
    {
        await Network.RunAsync("iptables -w -I INPUT -i eth0 -j DROP");
        await Network.RunAsync("iptables -w -I OUTPUT -o eth0 -j DROP");
    }

    public async Task PassPacketsAsync()
    {
        await Network.RunAsync("iptables -w -D INPUT -i eth0 -j DROP");
        await Network.RunAsync("iptables -w -D OUTPUT -o eth0 -j DROP");
    }

    /// <summary>Bytes per second that may leave the node, so that a large transfer takes long enough to be cut.</summary>
    public Task ShapeAsync(long kilobitsPerSecond) =>
        Network.RunAsync($"tc qdisc replace dev eth0 root tbf rate {kilobitsPerSecond}kbit burst 32kb latency 400ms");

    public Task UnshapeAsync() => Network.RunAsync("tc qdisc del dev eth0 root");

    /// <summary>From cold: link, engine, firmware.</summary>
    public async Task StartAsync()
    {
        await RestoreLinkAsync();
        if (!await Engine.AnswersAsync())
            await Engine.StartAsync();
        Firmware.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await RelieveAsync();
        await UnburdenAsync();
        Firmware.Dispose();
        Engine.Dispose();
        Api.Dispose();
    }
}
