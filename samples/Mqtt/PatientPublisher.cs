using System.Text;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Samples.Mqtt;

/// <summary>
/// Publishes whether its broker is there or not. What it has printed is on disk and will arrive exactly once, also when this process is killed: run it
/// again with the same directory.
/// </summary>
internal static class PatientPublisher
{
    public static async Task RunAsync(string host, int port, string directory, string prefix, int count, CancellationToken cancellation)
    {
        await using var client = new MqttClient(new MqttClientOptions
        {
            Server = MqttClientOptions.Tcp(host, port),
            ClientId = "patient-publisher",
            Reconnect = true,
            Durability = new DurabilityOptions { Directory = directory },
            WhenQueueIsFull = FullQueue.Wait,
        });
        client.Start();
        for (var i = 0; i < count; i++)
        {
            var text = $"{prefix}-{i}";
            var message = new MqttMessage { Topic = "samples/numbers", Payload = Encoding.UTF8.GetBytes(text), QoS = QoS.ExactlyOnce };
            var reason = await client.EnqueueAsync(message, cancellation);
            Console.WriteLine(reason == ReasonCode.Success ? text : $"refused: {reason}");
        }

        while (client.UnacknowledgedMessages > 0) await Task.Delay(20, cancellation);
        Console.WriteLine("done");
    }
}
