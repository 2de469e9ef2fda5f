using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Transport.Tls;

namespace EdgeFirmware.Mqtt.Tests.Transport;

/// <summary>A broker with one TLS endpoint on loopback, which accepts whoever its certificate or user name says.</summary>
internal sealed class TlsBroker : IAsyncDisposable
{
    private readonly List<MqttClient> _clients = [];

    private TlsBroker(MqttBroker broker) => Broker = broker;

    public MqttBroker Broker { get; }

    public int Port => ((IPEndPoint)Broker.Endpoints[0].Address).Port;

    public static async Task<TlsBroker> StartAsync(
        TlsServerOptions tls, ListLogger? logger = null, Action<BrokerOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new BrokerOptions { Access = new CertificateAccess() };
        if (logger is not null) options.Logger = logger;
        configure?.Invoke(options);
        var server = new TlsServer(tls, time ?? TimeProvider.System, options.Logger);
        return new TlsBroker(await MqttBroker.StartAsync(options, BrokerEndpoint.Tcp(IPAddress.Loopback, 0) with { Tls = server }));
    }

    public MqttClient NewClient(TlsClientOptions tls, string clientId = "c")
    {
        var client = new MqttClient(new MqttClientOptions
        {
            Server = MqttClientOptions.Tcp("127.0.0.1", Port), ClientId = clientId, Tls = tls, KeepAlive = TimeSpan.Zero,
        });
        _clients.Add(client);
        return client;
    }

    public async Task<MqttClient> ConnectAsync(TlsClientOptions tls, string clientId = "c")
    {
        var client = NewClient(tls, clientId);
        Assert.Equal(ReasonCode.Success, (await Within.Reason(client.ConnectAsync())).Reason);
        return client;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await Within.Reason(Broker.StopAsync());
        await Broker.Completion;
    }

    private sealed class CertificateAccess : IBrokerAccess
    {
        public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
            ValueTask.FromResult(ConnectVerdict.Accept(new Principal(attempt.CertificateName ?? $"password:{attempt.UserName}")));

        public bool MayPublish(Principal principal, string topic) => true;

        public bool MaySubscribe(Principal principal, string filter) => true;
    }
}
