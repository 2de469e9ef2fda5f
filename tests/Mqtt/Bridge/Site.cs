using System.Net;
using System.Net.Sockets;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Tests.Bridge;

/// <summary>Brokers with names, and what bridges them.</summary>
internal static class Site
{
    public static Task<LoopbackBroker> BrokerAsync(string name, Action<BrokerOptions>? configure = null) => LoopbackBroker.StartAsync(options =>
    {
        options.Identity = name;
        configure?.Invoke(options);
    });

    public static BridgeOptions To(EndPoint remote, params BridgeTopic[] topics) => To("up", remote, topics);

    public static BridgeOptions To(string name, EndPoint remote, params BridgeTopic[] topics) => new()
    {
        Name = name,
        Topics = topics,
        Remote = new MqttClientOptions
        {
            Server = remote, ClientId = $"bridge-{name}", RandomSeed = 1,
            ReconnectDelay = TimeSpan.FromMilliseconds(20), ReconnectDelayMax = TimeSpan.FromMilliseconds(200),
        },
    };

    public static MqttBridge Start(this MqttBroker broker, BridgeOptions options)
    {
        broker.StartBridges([options]);
        return broker.Bridges[0];
    }

    public static Task UpAsync(this MqttBridge bridge) => Within.Until(() => bridge.Status.Connected, "bridged");

    public static Task DownAsync(this MqttBridge bridge) => Within.Until(() => !bridge.Status.Connected, "the bridge noticed");

    public static async Task<List<string>> TakeAsync(this MqttClient client, int count)
    {
        var taken = new List<string>();
        while (taken.Count < count) taken.Add((await Within.Reason(client.ReceiveAsync())).Message.Text());
        return taken;
    }

    private static int _lastPort = 21_000 + (Environment.ProcessId % 5_000);

    /// <summary>A port that nobody listens on, below those the kernel gives away; another one at each call, for tests run side by side.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Interlocked.Increment(ref _lastPort);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
