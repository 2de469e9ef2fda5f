using System.Net;
using System.Text;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Samples.Mqtt;

/// <summary>A broker in this process. It keeps sessions and retained messages on disk and prints what is published.</summary>
internal static class EmbeddedBroker
{
    public static async Task RunAsync(int port, string directory, CancellationToken cancellation)
    {
        await using var broker = await MqttBroker.StartAsync(
            new BrokerOptions { Durability = new DurabilityOptions { Directory = directory } }, BrokerEndpoint.Tcp(IPAddress.Loopback, port));
        using var everything = broker.Subscribe("#", message => Console.WriteLine($"{message.Topic} {Encoding.UTF8.GetString(message.Payload.Span)}"));
        Console.WriteLine($"listening on {broker.Endpoints[0]}");
        // A bug in the broker ends the program instead of leaving it deaf.
        await broker.Completion.WaitAsync(cancellation);
    }
}
