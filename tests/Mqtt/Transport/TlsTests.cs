using System.Net.Sockets;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Mqtt.Tests.Transport;

/// <summary>TLS with our client, with mosquitto's and with openssl's.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly ListLogger _logger = new();

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData(TlsVersion.Tls12)]
    [InlineData(TlsVersion.Tls13)]
    public async Task Messages_of_every_size_pass_both_ways(TlsVersion version)
    {
        await using var broker = await StartAsync();
        var client = await broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile, MinimumVersion = version });
        await client.SubscribeAsync("a", QoS.AtLeastOnce);
        foreach (var bytes in (int[])[0, 1, 100, 16_383, 16_384, 16_385, 100_000, 900_000])
        {
            var payload = new byte[bytes];
            Random.Shared.NextBytes(payload);
            Assert.Equal(ReasonCode.Success, await Within.Reason(client.PublishAsync(new MqttMessage { Topic = "a", Payload = payload, QoS = QoS.AtLeastOnce })));
            Assert.Equal(payload, (await Within.Reason(client.ReceiveAsync())).Message.Payload.ToArray());
        }
    }

    [Theory]
    [InlineData("tlsv1.2")]
    [InlineData("tlsv1.3")]
    public async Task Mosquittos_clients_publish_and_subscribe(string version)
    {
        await using var broker = await StartAsync(ClientCertificates.Optional);
        string[] tls = ["-h", "127.0.0.1", "-p", $"{broker.Port}", "--cafile", _authority.CaFile, "--tls-version", version, "-t", "a", "-q", "2"];
        var (certificate, key) = _authority.Client("CN=meter-7");
        var subscriber = RealProgram.Start("mosquitto_sub", [.. tls, "-C", "2", "-W", "30", "--cert", certificate, "--key", key, "-i", "sub"]);
        await Within.Until(() => broker.Broker.Statistics.Subscriptions == 1, "subscribed");
        Assert.Equal("meter-7", broker.Broker.Clients.Single().User);
        Assert.Equal(0, (await RealProgram.RunAsync("mosquitto_pub", [.. tls, "-m", "one", "-u", "joe"])).Code);
        Assert.Equal(0, (await RealProgram.RunAsync("mosquitto_pub", [.. tls, "-m", "two", "--cert", certificate, "--key", key])).Code);
        Assert.Equal("one\ntwo\n", (await RealProgram.EndAsync(subscriber)).Output);
    }

    [Fact]
    public async Task A_required_certificate_must_be_shown()
    {
        await using var broker = await StartAsync(ClientCertificates.Required);
        string[] tls = ["-h", "localhost", "-p", $"{broker.Port}", "--cafile", _authority.CaFile, "-t", "a", "-m", "x"];
        Assert.NotEqual(0, (await RealProgram.RunAsync("mosquitto_pub", tls)).Code);
        var (certificate, key) = _authority.Client("CN=meter-7");
        Assert.Equal(0, (await RealProgram.RunAsync("mosquitto_pub", [.. tls, "--cert", certificate, "--key", key])).Code);
        var client = await broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile, CertificateFile = certificate, KeyFile = key });
        Assert.Equal("meter-7", Assert.Single(broker.Broker.Clients).User);
        await client.DisconnectAsync();
        await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile }));
    }

    [Fact]
    public async Task A_certificate_that_is_not_valid_is_refused_also_where_none_is_needed()
    {
        await using var broker = await StartAsync(ClientCertificates.Optional);
        using var stranger = new TestAuthority();
        foreach (var (certificate, key) in ((string, string)[])[stranger.Client("CN=x"), _authority.ExpiredClient("CN=x"), _authority.ClientForServers("CN=x")])
        {
            var tls = new TlsClientOptions { AuthorityFile = _authority.CaFile, CertificateFile = certificate, KeyFile = key };
            await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(tls));
        }

        Assert.Empty(broker.Broker.Clients);
        await broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile });
        Assert.Equal("password:", Assert.Single(broker.Broker.Clients).User);
    }

    [Fact]
    public async Task A_client_refuses_a_broker_of_another_authority_or_name()
    {
        using var stranger = new TestAuthority();
        await using var broker = await StartAsync();
        await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(new TlsClientOptions { AuthorityFile = stranger.CaFile }));
        await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(new TlsClientOptions()));
        await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile, ServerName = "other" }));
        await broker.ConnectAsync(new TlsClientOptions { AuthorityFile = _authority.CaFile, ServerName = "other", AnyServerName = true });
    }

    [Theory]
    [InlineData("-tls1_1", false, TlsVersion.Tls12)]
    [InlineData("-tls1_2", true, TlsVersion.Tls12)]
    [InlineData("-tls1_2", false, TlsVersion.Tls13)]
    [InlineData("-tls1_3", true, TlsVersion.Tls13)]
    [InlineData("-cipher AES128-SHA:@SECLEVEL=0 -tls1_2", false, TlsVersion.Tls12)] // no forward secrecy
    [InlineData("-cipher ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0 -tls1_2", false, TlsVersion.Tls12)] // CBC
    public async Task Old_versions_and_weak_suites_are_refused(string arguments, bool accepted, TlsVersion minimum)
    {
        var (certificate, key) = _authority.Server();
        await using var broker = await TlsBroker.StartAsync(new TlsServerOptions { CertificateFile = certificate, KeyFile = key, MinimumVersion = minimum });
        var (_, output, error) = await RealProgram.RunAsync(
            "openssl", ["s_client", "-connect", $"127.0.0.1:{broker.Port}", "-CAfile", _authority.CaFile, .. arguments.Split(' ')]);
        Assert.True(output.Contains("Cipher is (NONE)", StringComparison.Ordinal) != accepted, output + error);
        Assert.True(!accepted || output.Contains("Verify return code: 0", StringComparison.Ordinal), output + error);
    }

    [Fact]
    public async Task A_new_certificate_counts_for_new_connections_and_old_ones_live_on()
    {
        var time = new ManualTime();
        var (certificate, key) = _authority.Server();
        await using var broker = await TlsBroker.StartAsync(Options(certificate, key), _logger, time: time);
        var trust = new TlsClientOptions { AuthorityFile = _authority.CaFile };
        var old = await broker.ConnectAsync(trust, "old");
        Assert.Contains("CN = broker", await SubjectAsync(broker), StringComparison.Ordinal);

        _authority.Server("CN=renewed");
        time.AdvanceSeconds(2);
        Assert.Contains("CN = renewed", await SubjectAsync(broker), StringComparison.Ordinal);
        Assert.False((await Within.Reason(old.PublishAsync(Messages.Message("a", qos: QoS.AtLeastOnce)))).IsFailure());

        File.WriteAllText(key, "not a key");
        time.AdvanceSeconds(2);
        Assert.Contains("CN = renewed", await SubjectAsync(broker), StringComparison.Ordinal);
        File.Delete(certificate);
        time.AdvanceSeconds(2);
        Assert.Contains("CN = renewed", await SubjectAsync(broker), StringComparison.Ordinal);
        Assert.Equal(2, _logger.Lines.Count(line => line.StartsWith("the certificate stays as it was: " + _authority.PathOf("server."), StringComparison.Ordinal)));

        _authority.Server("CN=third");
        time.AdvanceSeconds(2);
        Assert.Contains("CN = third", await SubjectAsync(broker), StringComparison.Ordinal);
        await broker.ConnectAsync(trust, "new");
        Assert.True(old.IsConnected);
    }

    [Fact]
    public async Task Who_is_not_trusted_any_more_cannot_come_back_with_an_earlier_handshake()
    {
        var time = new ManualTime();
        var (certificate, key) = _authority.Server();
        var trusted = _authority.PathOf("trusted.pem");
        File.Copy(_authority.CaFile, trusted);
        await using var broker = await TlsBroker.StartAsync(
            new TlsServerOptions { CertificateFile = certificate, KeyFile = key, AuthorityFile = trusted, ClientCertificates = ClientCertificates.Required }, time: time);
        var (mine, myKey) = _authority.Client("CN=meter-7");
        var tls = new TlsClientOptions { AuthorityFile = _authority.CaFile, CertificateFile = mine, KeyFile = myKey };
        await (await broker.ConnectAsync(tls)).DisconnectAsync();
        using var other = new TestAuthority("Other CA");
        File.Copy(other.CaFile, trusted, overwrite: true);
        time.AdvanceSeconds(2);
        await Assert.ThrowsAsync<MqttException>(() => broker.ConnectAsync(tls));
    }

    [Fact]
    public async Task Who_says_nothing_or_something_else_is_closed()
    {
        var time = new ManualTime();
        var (certificate, key) = _authority.Server();
        await using var broker = await TlsBroker.StartAsync(Options(certificate, key), _logger, options => options.TimeProvider = time);
        using var plain = await RawClient.OpenAsync(broker.Broker.Endpoints[0].Address, ProtocolVersion.V5);
        await plain.SendAsync(new Mqtt.Packets.ConnectPacket { Version = ProtocolVersion.V5, ClientId = "plain", CleanStart = true });
        await Within.Until(() => _logger.Lines.Any(line => line.Contains("TLS handshake: ", StringComparison.Ordinal)), "refused");
        using var silent = new TcpClient("127.0.0.1", broker.Port);
        using var slow = new TcpClient("127.0.0.1", broker.Port);
        slow.GetStream().WriteByte(22);
        await Within.Until(() => broker.Broker.Statistics.Connections == 3, "accepted"); // the first one drains
        time.AdvanceSeconds(11);
        Assert.Equal(0, await Within.Reason(slow.GetStream().ReadAsync(new byte[1])));
        Assert.Equal(0, await Within.Reason(silent.GetStream().ReadAsync(new byte[1])));
        await Within.Until(() => broker.Broker.Statistics.Connections == 0, "closed");
    }

    [Fact]
    public async Task Handshakes_beyond_the_limit_wait_for_their_turn()
    {
        var time = new ManualTime();
        var (certificate, key) = _authority.Server();
        await using var broker = await TlsBroker.StartAsync(Options(certificate, key), _logger, options =>
        {
            options.TimeProvider = time;
            options.Limits.TlsHandshakesMax = 1;
            options.Limits.TlsHandshakeTimeout = TimeSpan.FromSeconds(5);
            options.Limits.ConnectTimeout = TimeSpan.FromSeconds(100);
        });
        using var silent = new TcpClient("127.0.0.1", broker.Port); // takes no place
        using var slow = new TcpClient("127.0.0.1", broker.Port);
        slow.GetStream().WriteByte(22);
        await Within.Until(() => broker.Broker.Statistics.Connections == 2, "accepted");
        var client = broker.NewClient(new TlsClientOptions { AuthorityFile = _authority.CaFile });
        var connecting = client.ConnectAsync();
        await Within.Until(() => broker.Broker.Statistics.Connections == 3, "accepted");
        // Whether the slow one or the client comes first is open; with one place both are served in the end.
        while (!connecting.IsCompleted)
        {
            time.AdvanceSeconds(6);
            await Task.WhenAny(connecting, Task.Delay(20));
        }

        Assert.Equal(ReasonCode.Success, (await connecting).Reason);
    }

    [Fact]
    public void Files_that_are_no_good_are_named()
    {
        var (certificate, key) = _authority.Server();
        var (_, otherKey) = _authority.Client("CN=x");
        File.WriteAllText(_authority.PathOf("empty.pem"), "");
        Assert.Contains(_authority.PathOf("none"), Fault(_authority.PathOf("none"), key), StringComparison.Ordinal);
        Assert.Contains(_authority.PathOf("none"), Fault(certificate, _authority.PathOf("none")), StringComparison.Ordinal);
        Assert.Contains("empty.pem", Fault(_authority.PathOf("empty.pem"), key), StringComparison.Ordinal);
        Assert.Contains(otherKey, Fault(certificate, otherKey), StringComparison.Ordinal);
        Assert.Contains(certificate, Fault(certificate, certificate), StringComparison.Ordinal);
        Assert.Contains("ClientAuthority", Fault(certificate, key, ClientCertificates.Optional), StringComparison.Ordinal);
    }

    private static TlsServerOptions Options(string certificate, string key) => new() { CertificateFile = certificate, KeyFile = key };

    private string Fault(string certificate, string key, ClientCertificates clients = ClientCertificates.No) =>
        Assert.Throws<CertificateFileException>(() => new TlsServer(
            new TlsServerOptions { CertificateFile = certificate, KeyFile = key, ClientCertificates = clients }, TimeProvider.System, _logger)).Message;

    private Task<TlsBroker> StartAsync(ClientCertificates clients = ClientCertificates.No)
    {
        var (certificate, key) = _authority.Server();
        return TlsBroker.StartAsync(
            new TlsServerOptions { CertificateFile = certificate, KeyFile = key, AuthorityFile = _authority.CaFile, ClientCertificates = clients }, _logger);
    }

    private async Task<string> SubjectAsync(TlsBroker broker) =>
        (await RealProgram.RunAsync("openssl", "s_client", "-connect", $"127.0.0.1:{broker.Port}", "-CAfile", _authority.CaFile)).Output;
}
