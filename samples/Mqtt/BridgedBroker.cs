using System.Net;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Samples.Mqtt;

/// <summary>A broker that forwards all it gets to another one, whenever that is there, and takes everything below <c>set/</c> from it.</summary>
internal static class BridgedBroker
{
    public static async Task RunAsync(int port, string directory, string host, int remotePort, CancellationToken cancellation)
    {
        await using var broker = new MqttBroker(new BrokerOptions { Identity = "samples", Durability = new DurabilityOptions { Directory = directory } });
        // The bridge first: what is published before it has its session does not go over it.
        await broker.Restored;
        broker.StartBridges(new BridgeOptions
        {
            Name = "up",
            Topics = [new BridgeTopic("#", BridgeDirection.Out, QoS.ExactlyOnce), new BridgeTopic("set/#", BridgeDirection.In, QoS.ExactlyOnce)],
            Remote = new MqttClientOptions { Server = MqttClientOptions.Tcp(host, remotePort), ClientId = "samples.up" },
        });
        Console.WriteLine($"listening on {broker.Listen(BrokerEndpoint.Tcp(IPAddress.Loopback, port))}");
        await broker.Completion.WaitAsync(cancellation);
    }
}
