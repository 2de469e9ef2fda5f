using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Support;

/// <summary>A broker on a free loopback port, and clients of it.</summary>
internal sealed class LoopbackBroker : IAsyncDisposable
{
    private readonly List<MqttClient> _clients = [];

    private LoopbackBroker(MqttBroker broker)
    {
        Broker = broker;
        Address = (IPEndPoint)broker.Endpoints[0].Address;
    }

    public MqttBroker Broker { get; }

    public IPEndPoint Address { get; }

    public int Port => Address.Port;

    public static async Task<LoopbackBroker> StartAsync(Action<BrokerOptions>? configure = null)
    {
        var options = new BrokerOptions { RandomSeed = 1 };
        configure?.Invoke(options);
        return new LoopbackBroker(await MqttBroker.StartAsync(options, BrokerEndpoint.Tcp(IPAddress.Loopback, 0)));
    }

    public MqttClient NewClient(string clientId, Action<MqttClientOptions>? configure = null)
    {
        var options = new MqttClientOptions { Server = Address, ClientId = clientId, KeepAlive = TimeSpan.Zero };
        configure?.Invoke(options);
        var client = new MqttClient(options);
        _clients.Add(client);
        return client;
    }

    public async Task<MqttClient> ConnectAsync(string clientId, Action<MqttClientOptions>? configure = null)
    {
        var client = NewClient(clientId, configure);
        var result = await Within.Reason(client.ConnectAsync());
        Assert.Equal(ReasonCode.Success, result.Reason);
        return client;
    }

    public Task<RawClient> OpenRawAsync(ProtocolVersion version = ProtocolVersion.V5) => RawClient.OpenAsync(Address, version);

    public Task<RawClient> ConnectRawAsync(string clientId, ProtocolVersion version = ProtocolVersion.V5) =>
        ConnectRawAsync(Messages.Connect(clientId, version));

    public Task<RawClient> ConnectRawAsync(ConnectPacket connect) => RawClient.ConnectAsync(Address, connect);

    /// <summary>The end of a connection reaches its session a moment later.</summary>
    public Task AwayAsync(string clientId) =>
        Within.Until(() => Broker.Clients.All(client => client.ClientId != clientId || !client.Connected), $"{clientId} is away");

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await Within.Reason(Broker.StopAsync());
        await Broker.Completion;
    }
}
