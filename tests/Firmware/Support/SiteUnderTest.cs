using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Tests.Support;

/// <summary>A site of one whole node, gate-1, which holds the authority and serves HTTP and MQTT over TLS; and site directories of others, which
/// do not run.</summary>
internal sealed class SiteUnderTest : IAsyncDisposable
{
    private readonly string _directory;

    private SiteUnderTest(string directory, NodeUnderTest node)
    {
        _directory = directory;
        Node = node;
    }

    public NodeUnderTest Node { get; }

    /// <summary>Of the node.</summary>
    public string Home => Path.Combine(_directory, "home");

    public static async Task<SiteUnderTest> StartAsync(TimeProvider? time = null, ClientCertificates clients = ClientCertificates.Optional, string name = "orchard")
    {
        var directory = Directory.CreateTempSubdirectory("edge-site-").FullName;
        var home = Path.Combine(directory, "home");
        var data = Path.Combine(directory, "gate-1");
        Directory.CreateDirectory(data);
        var (code, _, error) = await NodeUnderTest.RunAsync("site", "create", "--dir", home, "--name", name);
        Assert.True(code == 0, error);
        var configuration = NodeUnderTest.Configure(data, api: IPAddress.Loopback, mesh: IPAddress.Loopback) with
        {
            ApiTlsListen = new IPEndPoint(IPAddress.Loopback, NodeUnderTest.FreePort()),
            MqttTls = new TlsConfiguration(
                [new IPEndPoint(IPAddress.Loopback, NodeUnderTest.FreePort())], new TlsServerOptions { ClientCertificates = clients }, IsSite: true),
        };
        var node = await NodeUnderTest.StartAsync(configuration, home, null, time);
        await node.ApiAnswersAsync();
        return new SiteUnderTest(directory, node);
    }

    /// <summary>Enrols a node by token.</summary>
    /// <returns>Its site directory.</returns>
    public async Task<string> JoinAsync(string name)
    {
        var token = JsonNode.Parse((await Node.CommandAsync("site", "token", "--json")).Output)!["token"]!.GetValue<string>();
        var data = Path.Combine(_directory, name);
        var (code, _, error) = await NodeUnderTest.RunAsync("site", "join", token, "--peer", Node.Configuration.Mesh!.Listen.ToString(), "--data", data, "--name", name);
        Assert.True(code == 0, error);
        return Path.Combine(data, "site");
    }

    public async Task RevokeAsync(string name)
    {
        var (code, _, error) = await Node.CommandAsync("site", "revoke", name);
        Assert.True(code == 0, error);
    }

    public Task LoggedAsync(string text) => Node.UntilAsync(() => Task.FromResult(Node.Journal.Contains(text, StringComparison.Ordinal)));

    /// <summary>HTTPS to the node as to "gate-1", which counts as from elsewhere, and whose certificate has to be the site's.</summary>
    /// <param name="site">Site directory of who asks; <c>null</c> for somebody without certificate.</param>
    public HttpClient NewClient(string? site, SslProtocols version = SslProtocols.None) => new(NewHandler(site, version))
    {
        BaseAddress = new Uri($"https://gate-1:{Node.Configuration.ApiTlsListen!.Port}"), Timeout = TimeSpan.FromSeconds(20),
    };

    public SocketsHttpHandler NewHandler(string? site, SslProtocols version = SslProtocols.None)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(Home, "authority.pem"));
        return new SocketsHttpHandler
        {
            Expect100ContinueTimeout = TimeSpan.FromSeconds(20),
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = policy, EnabledSslProtocols = version, ClientCertificateContext = site is null ? null : CertificateOf(site),
            },
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(Node.Configuration.ApiTlsListen!, cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
    }

    /// <summary>What a server shows now.</summary>
    public static async Task<X509Certificate2> ShownAsync(IPEndPoint address)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(address);
        await using var stream = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => shown is not null);
        await stream.AuthenticateAsClientAsync("gate-1");
        return X509CertificateLoader.LoadCertificate(stream.RemoteCertificate!.GetRawCertData());
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static SslStreamCertificateContext CertificateOf(string site) => SslStreamCertificateContext.Create(
        X509Certificate2.CreateFromPemFile(Path.Combine(site, "node.pem"), Path.Combine(site, "node.key")), additionalCertificates: null, offline: true);
}
