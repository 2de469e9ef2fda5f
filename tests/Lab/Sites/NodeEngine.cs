using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>A real Docker Engine of one node: own containerd, own storage, own network namespace. The daemons stay outside of the node's
/// CPU quota (they are shared by everything else on a small machine); the containers they start are inside.</summary>
public sealed class NodeEngine : IDisposable
{
    private readonly NetworkNamespace _network;
    private readonly Cgroup _daemons;
    private readonly string _containersCgroup;
    private readonly string _directory;
    private readonly HttpClient _http;
    private Child? _daemon;

    public NodeEngine(NetworkNamespace network, Cgroup daemons, string containersCgroup, string directory)
    {
        _network = network;
        _daemons = daemons;
        _containersCgroup = containersCgroup;
        _directory = directory;
        Directory.CreateDirectory(directory);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://engine/v1.41/"),
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public string Socket => Path.Combine(_directory, "docker.sock");

    public string LogFile => Path.Combine(_directory, "dockerd.log");

    private string ExecRoot => Path.Combine(_directory, "exec");

    public string DataRoot => Path.Combine(_directory, "data");

    public async Task StartAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "daemon.json"), """{ "experimental": true }""");
        _daemon?.Dispose();
        _daemon = Child.Start(
            _daemons,
            _network,
            [
                "dockerd", "--config-file", Path.Combine(_directory, "daemon.json"), "--data-root", DataRoot,
                "--exec-root", ExecRoot, "--pidfile", Path.Combine(_directory, "docker.pid"),
                "-H", "unix://" + Socket, "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", _containersCgroup,
            ],
            privateMounts: true,
            logFile: LogFile);
        await Until.TrueAsync(AnswersAsync, TimeSpan.FromSeconds(60), $"engine answers on {Socket}", found: LastLog);
    }

    /// <summary>As an operator stops it: SIGTERM; its containers are stopped.</summary>
    public async Task StopAsync()
    {
        _daemon?.Signal(Signals.Terminate);
        await (_daemon?.ExitAsync(TimeSpan.FromSeconds(40)) ?? Task.CompletedTask);
        await _daemons.KillAsync();
    }

    /// <summary>SIGKILL to the engine, containerd and the shims, not to the containers.</summary>
    public Task KillAsync() => _daemons.KillAsync();

    /// <summary>After a power cut: /run, where an engine keeps what it only needs while it runs, is a file system in memory.</summary>
    public void ForgetRuntimeState()
    {
        if (Directory.Exists(ExecRoot))
            Directory.Delete(ExecRoot, recursive: true);
        File.Delete(Path.Combine(_directory, "docker.pid"));
    }

    public async ValueTask<bool> AnswersAsync()
    {
        try
        {
            return (await _http.GetStringAsync("_ping")) == "OK";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Loads the tar of <c>docker save</c>.</summary>
    public async Task LoadAsync(string archive)
    {
        await using var file = File.OpenRead(archive);
        using var content = new StreamContent(file);
        content.Headers.ContentType = new("application/x-tar");
        using var response = await _http.PostAsync("images/load?quiet=1", content);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode || text.Contains("\"error\"", StringComparison.Ordinal))
            throw new InvalidOperationException($"image load: {(int)response.StatusCode} {text}");
    }

    public async Task<bool> HasImageAsync(string reference)
    {
        using var response = await _http.GetAsync($"images/{reference}/json");
        return response.IsSuccessStatusCode;
    }

    public async Task<long> ImageBytesAsync(string reference) =>
        (long)(await _http.GetFromJsonAsync<JsonNode>($"images/{reference}/json"))!["Size"]!;

    /// <summary>Removes an image and its untagged parents; no-op when absent.</summary>
    public async Task RemoveImageAsync(string reference)
    {
        using var response = await _http.DeleteAsync($"images/{reference}?force=1");
    }

    /// <summary>Creates and starts a container without the firmware, to try the lab itself.</summary>
    public async Task RunContainerAsync(string name, string image, IReadOnlyDictionary<string, string> environment, string workload)
    {
        var definition = new JsonObject
        {
            ["Image"] = image,
            ["Env"] = new JsonArray([.. environment.Select(pair => (JsonNode)$"{pair.Key}={pair.Value}")]),
            ["Labels"] = new JsonObject { ["edge.workload"] = workload },
            ["HostConfig"] = new JsonObject { ["ExtraHosts"] = new JsonArray("node:host-gateway") },
        };
        using var created = await _http.PostAsJsonAsync($"containers/create?name={name}", definition);
        created.EnsureSuccessStatusCode();
        using var started = await _http.PostAsync($"containers/{name}/start", null);
        started.EnsureSuccessStatusCode();
    }

    /// <summary>SIGKILL, and removed.</summary>
    public async Task RemoveContainerAsync(string name)
    {
        using var removed = await _http.DeleteAsync($"containers/{name}?force=1");
        removed.EnsureSuccessStatusCode();
    }

    /// <summary>Containers in any state that a firmware made, as the engine lists them.</summary>
    public async Task<IReadOnlyList<JsonNode>> WorkloadContainersAsync() =>
        [.. (await _http.GetFromJsonAsync<JsonArray>("containers/json?all=1&filters=%7B%22label%22%3A%5B%22edge.workload%22%5D%7D"))!.Select(node => node!)];

    public async Task<IReadOnlyList<string>> VolumesAsync() =>
        [.. ((await _http.GetFromJsonAsync<JsonNode>("volumes"))!["Volumes"] as JsonArray ?? []).Select(node => (string)node!["Name"]!)];

    /// <summary>IDs of images that no name points to: what a load that was broken off leaves.</summary>
    public async Task<IReadOnlyList<string>> UntaggedImagesAsync() =>
        [.. (await _http.GetFromJsonAsync<JsonArray>("images/json?all=1"))!
            .Where(node => node!["RepoTags"] is not JsonArray { Count: > 0 } tags || (string?)tags[0] == "<none>:<none>")
            .Select(node => (string)node!["Id"]!)];

    /// <returns><c>null</c> when absent.</returns>
    public async Task<JsonNode?> InspectContainerAsync(string idOrName)
    {
        using var response = await _http.GetAsync($"containers/{idOrName}/json");
        return response.IsSuccessStatusCode ? JsonNode.Parse(await response.Content.ReadAsStringAsync()) : null;
    }

    public string LastLog() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(5)) : "no log";

    public void Dispose()
    {
        _http.Dispose();
        _daemon?.Dispose();
    }
}
