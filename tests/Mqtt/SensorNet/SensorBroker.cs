using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.SensorNet;

namespace EdgeFirmware.Mqtt.Tests.SensorNet;

/// <summary>A broker on loopback with a gateway for sensors.</summary>
internal sealed class SensorBroker : IAsyncDisposable
{
    private readonly List<RawSensor> _sensors = [];

    private SensorBroker(LoopbackBroker loopback) => Loopback = loopback;

    public LoopbackBroker Loopback { get; }

    public MqttBroker Broker => Loopback.Broker;

    public IPEndPoint Address => Broker.SensorEndpoints[0];

    public static async Task<SensorBroker> StartAsync(Action<BrokerOptions>? configure = null, Action<SensorNetOptions>? change = null, IPAddress? address = null)
    {
        var loopback = await LoopbackBroker.StartAsync(configure);
        var options = new SensorNetOptions { Admit = _ => new Principal("sensors"), PredefinedTopics = [new PredefinedTopic(7, "pre/defined")] };
        change?.Invoke(options);
        loopback.Broker.StartSensorNet(options, new IPEndPoint(address ?? IPAddress.Loopback, 0));
        return new SensorBroker(loopback);
    }

    public RawSensor NewSensor()
    {
        var sensor = new RawSensor(Address);
        _sensors.Add(sensor);
        return sensor;
    }

    public Task<RawSensor> ConnectAsync(string id, bool clean = true, ushort keepAlive = 60) => NewSensor().ConnectAsync(id, clean, keepAlive);

    /// <summary>What arrives on the filter, in order.</summary>
    public List<string> Listen(string filter)
    {
        var heard = new List<string>();
        Broker.Subscribe(filter, message =>
        {
            lock (heard) heard.Add($"{message.Topic} {message.Text()}");
        });
        return heard;
    }

    public void Publish(string topic, string payload, QoS qos = QoS.AtLeastOnce, bool retain = false) => Broker.Publish(Messages.Message(topic, payload, qos, retain));

    public ClientSnapshot? Find(string clientId) => Broker.Clients.FirstOrDefault(client => client.ClientId == clientId);

    public async ValueTask DisposeAsync()
    {
        foreach (var sensor in _sensors) sensor.Dispose();
        await Loopback.DisposeAsync();
    }
}
