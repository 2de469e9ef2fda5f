using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Control;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Running;
using EdgeFirmware.Overlay.Links;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Tests.Support;

/// <summary>A whole node in this process, on its own: no engine, no peers.</summary>
internal sealed class NodeUnderTest : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly StringWriter _journal = new();
    private readonly TextWriter _writer;

    private NodeUnderTest(NodeConfiguration configuration, string password, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        _writer = TextWriter.Synchronized(_journal);
        Configuration = configuration;
        Password = password;
        Running = new RunningNode(
            configuration, new JournalLog(LogLevel.Debug, _writer, underSystemd: false, time), time)
            .RunAsync(_stopping.Token);
    }

    public NodeConfiguration Configuration { get; }

    /// <summary>The administrator's.</summary>
    public string Password { get; }

    public Task Running { get; }

    /// <summary>What it has logged so far.</summary>
    public string Journal
    {
        get
        {
            lock (_writer) // as the writer itself does
                return _journal.ToString();
        }
    }

    public Uri Api => new($"http://{Configuration.ApiListen}");

    public static NodeConfiguration Configure(string directory, bool allowAnonymous = false, IPAddress? api = null, IPAddress? mqtt = null, IPAddress? mesh = null, IReadOnlyList<BridgeConfiguration>? bridges = null) => new()
    {
        Bridges = bridges ?? [],
        Name = "gate-1",
        DataDirectory = directory,
        MqttListen = [new IPEndPoint(mqtt ?? IPAddress.Loopback, 0)],
        AllowAnonymous = allowAnonymous,
        ApiListen = api is null ? null : new IPEndPoint(api, FreePort()),
        Mesh = mesh is null ? null : new MeshConfiguration(new IPEndPoint(mesh, FreePort()), [], new byte[32]),
        EngineSocket = Path.Combine(directory, "no-engine.sock"),
        Links = new LinksOptions { Names = ["none0"] }, // nobody outside is asked by tests
    };

    public static async Task<NodeUnderTest> StartAsync(bool allowAnonymous = false, IPAddress? api = null, string? directory = null, IPAddress? mqtt = null, IPAddress? mesh = null,
        IReadOnlyList<BridgeConfiguration>? bridges = null, TlsConfiguration? tls = null, Func<NodeConfiguration, NodeConfiguration>? change = null)
    {
        directory ??= Directory.CreateTempSubdirectory("edge-node-").FullName;
        var (credential, password) = await AdminCredential.LoadOrCreateAsync(directory, CancellationToken.None);
        credential.Dispose();
        var configuration = Configure(directory, allowAnonymous, api, mqtt, mesh, bridges) with { MqttTls = tls };
        var node = new NodeUnderTest(change?.Invoke(configuration) ?? configuration, password ?? "");
        await node.UntilAsync(node.AnswersAsync);
        if (api is not null && (api.Equals(IPAddress.Any) || IPAddress.IsLoopback(api)))
            await node.ApiAnswersAsync();
        return node;
    }

    /// <summary>A node with certificates.</summary>
    /// <param name="site">Its site directory.</param>
    public static async Task<NodeUnderTest> StartAsync(NodeConfiguration configuration, string site, NodeUnderTest? seed, TimeProvider? time)
    {
        var mesh = configuration.Mesh! with { SiteKey = null, Site = site, Seeds = seed is null ? [] : [seed.Configuration.Mesh!.Listen] };
        var (credential, password) = await AdminCredential.LoadOrCreateAsync(configuration.DataDirectory, CancellationToken.None);
        credential.Dispose();
        var node = new NodeUnderTest(configuration with { Mesh = mesh }, password ?? "", time);
        await node.UntilAsync(node.AnswersAsync);
        return node;
    }

    /// <summary>Runs a command line against this node.</summary>
    public Task<(int Code, string Output, string Error)> CommandAsync(params string[] arguments) =>
        RunAsync([.. arguments, "--data", Configuration.DataDirectory]);

    /// <summary>The same with something on standard input.</summary>
    public Task<(int Code, string Output, string Error)> RunWithInputAsync(string input, params string[] arguments) =>
        RunAsync(input, [.. arguments, "--data", Configuration.DataDirectory]);

    public static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsync("", arguments);

    /// <param name="input">Standard input.</param>
    public static async Task<(int Code, string Output, string Error)> RunAsync(string input, string[] arguments)
    {
        using var given = new MemoryStream(Encoding.UTF8.GetBytes(input));
        using var output = new MemoryStream();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(arguments, given, output, error).WaitAsync(TimeSpan.FromSeconds(30));
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    public async Task<int> MqttPortAsync()
    {
        var status = JsonNode.Parse((await CommandAsync("status", "--json")).Output)!;
        return IPEndPoint.Parse(status["broker"]!["listen"]![0]!.GetValue<string>()).Port;
    }

    /// <summary>Ends it and leaves its data directory.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync();
        await Running.WaitAsync(TimeSpan.FromSeconds(20)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
        Directory.Delete(Configuration.DataDirectory, recursive: true);
    }

    /// <summary>Looks until it is so, while the node runs.</summary>
    public async Task UntilAsync(Func<Task<bool>> isSo)
    {
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (!await isSo())
        {
            if (Running.IsCompleted)
                await Running;
            if (DateTime.UtcNow > deadline)
                Assert.Fail($"it did not come to pass: {Journal}");
            await Task.Delay(5);
        }
    }

    /// <summary>The API listens later than the control socket.</summary>
    public Task ApiAnswersAsync() => UntilAsync(() => AcceptsAsync(Configuration.ApiListen ?? Configuration.ApiTlsListen!));

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await foreach (var _ in ControlClient.AskAsync(Configuration.ControlSocket, new ControlRequest("status"), CancellationToken.None))
                return true;
            return false;
        }
        catch (NodeUnreachableException)
        {
            return false;
        }
    }

    private static async Task<bool> AcceptsAsync(IPEndPoint address)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, address.Port) : address);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Below the ports that the kernel gives to callers (ip_local_port_range): it stays free until the node takes it.</summary>
    public static int FreePort()
    {
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Any, port));
                return port;
            }
            catch (SocketException)
            {
                // taken: another one
            }
        }
    }
}
