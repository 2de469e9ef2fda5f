using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Configuration;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Tests.Support;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Firmware.Tests.Running;

/// <summary>The ways into a node's broker besides plain TCP.</summary>
public sealed class TransportsOfANodeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_certificates_subject_is_the_user_with_its_rules()
    {
        using var authority = new TestAuthority();
        var (certificate, key) = authority.Server();
        await using var node = await NodeUnderTest.StartAsync(tls: new TlsConfiguration([new IPEndPoint(IPAddress.Loopback, 0)], new TlsServerOptions
        {
            CertificateFile = certificate, KeyFile = key, AuthorityFile = authority.CaFile, ClientCertificates = ClientCertificates.Optional,
        }));
        var status = JsonNode.Parse((await node.CommandAsync("status", "--json")).Output)!;
        var port = IPEndPoint.Parse(status["broker"]!["listen"]![1]!.GetValue<string>()).Port;
        Assert.Equal(0, (await node.CommandAsync("users", "add", "meter-7", "--no-password", "--rule", "allow all site/%u/#")).Code);

        Assert.Equal(ReasonCode.Success, await ConnectAsync(authority.Client("CN=meter-7")));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(authority.Client("CN=stranger")));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(authority.Client("CN=admin")));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync(authority.Client("CN=meter-7"), "somebody-else"));
        Assert.Equal(ReasonCode.NotAuthorized, await ConnectAsync((null, null)));
        Assert.Equal(ReasonCode.Success, await ConnectAsync((null, null), "admin", node.Password));

        async Task<ReasonCode> ConnectAsync((string? Certificate, string? Key) files, string? user = null, string? password = null)
        {
            await using var client = new MqttClient(new MqttClientOptions
            {
                Server = MqttClientOptions.Tcp("127.0.0.1", port), UserName = user, Password = password,
                Tls = new TlsClientOptions { AuthorityFile = authority.CaFile, CertificateFile = files.Certificate, KeyFile = files.Key },
            });
            var reason = (await client.ConnectAsync().WaitAsync(Limit)).Reason;
            if (reason != ReasonCode.Success || files.Certificate is null)
                return reason;
            Assert.Equal(ReasonCode.NotAuthorized, await client.PublishAsync(new MqttMessage { Topic = "other", QoS = QoS.AtLeastOnce }).WaitAsync(Limit));
            Assert.False((await client.PublishAsync(new MqttMessage { Topic = "site/meter-7/x", QoS = QoS.AtLeastOnce }).WaitAsync(Limit)).IsFailure());
            return reason;
        }
    }

    [Fact]
    public async Task MQTT_goes_over_WebSocket_with_credentials_of_its_own()
    {
        await using var node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback);
        var options = new MqttClientOptions
        {
            Server = node.Configuration.ApiListen!, WebSocketPath = "/mqtt", UserName = "admin", Password = node.Password,
        };
        await using var client = new MqttClient(options);
        Assert.Equal(ReasonCode.Success, (await client.ConnectAsync().WaitAsync(Limit)).Reason);
        await client.SubscribeAsync("a", QoS.AtLeastOnce).WaitAsync(Limit);
        for (var i = 0; i < 5; i++) // more than a request's body may have
        {
            await client.PublishAsync(new MqttMessage { Topic = "a", Payload = new byte[900_000], QoS = QoS.AtLeastOnce }).WaitAsync(Limit);
            Assert.Equal(900_000, (await client.ReceiveAsync().AsTask().WaitAsync(Limit)).Message.Payload.Length);
        }

        await using var stranger = new MqttClient(new MqttClientOptions { Server = options.Server, WebSocketPath = "/mqtt" });
        Assert.Equal(ReasonCode.NotAuthorized, (await stranger.ConnectAsync().WaitAsync(Limit)).Reason);
    }

    [Theory]
    [InlineData(false, "mqtt", "http://evil.example", 101)]
    [InlineData(true, "mqtt", "http://evil.example", 403)]
    [InlineData(true, "mqtt", "OWN", 101)]
    [InlineData(true, "mqtt", null, 101)]
    [InlineData(false, "other, mqtt", null, 101)]
    [InlineData(false, "other", null, 400)]
    public async Task A_page_from_elsewhere_may_not_use_an_open_broker(bool open, string protocols, string? origin, int status)
    {
        await using var node = await NodeUnderTest.StartAsync(open, IPAddress.Loopback);
        using var socket = new ClientWebSocket();
        foreach (var protocol in protocols.Split(", "))
            socket.Options.AddSubProtocol(protocol);
        if (origin is not null)
            socket.Options.SetRequestHeader("Origin", origin == "OWN" ? node.Api.ToString().TrimEnd('/') : origin);
        socket.Options.CollectHttpResponseDetails = true;
        var connecting = socket.ConnectAsync(new Uri($"ws://{node.Configuration.ApiListen}/mqtt"), CancellationToken.None).WaitAsync(Limit);
        await Task.WhenAny(connecting);
        Assert.Equal(status, (int)socket.HttpStatusCode);
        if (status == 101)
            Assert.Equal("mqtt", socket.SubProtocol);
    }

    [Fact]
    public async Task What_is_no_WebSocket_is_told_so()
    {
        await using var node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback);
        using var http = new HttpClient { BaseAddress = node.Api };
        using var answer = await http.GetAsync(new Uri("/mqtt", UriKind.Relative));
        Assert.Equal(HttpStatusCode.UpgradeRequired, answer.StatusCode);
    }
}
