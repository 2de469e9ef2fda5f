using System.Globalization;
using System.Net;
using System.Text;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Samples.Mqtt;

/// <summary>A remote procedure call: one client asks for a square, another computes it, and for a cube there is nobody.</summary>
internal static class Calculator
{
    public static async Task RunAsync(CancellationToken cancellation)
    {
        await using var broker = await MqttBroker.StartAsync(new BrokerOptions(), BrokerEndpoint.Tcp(IPAddress.Loopback, 0));
        await using var server = await ConnectAsync(broker, "server", cancellation);
        await using var client = await ConnectAsync(broker, "client", cancellation);
        await using var responder = await MqttResponder.StartAsync(server, "square", Square, cancellation: cancellation);
        using var requester = await MqttRequester.StartAsync(client, cancellation: cancellation);

        foreach (var topic in (string[])["square", "cube"])
        {
            var request = new MqttMessage { Topic = topic, Payload = "12"u8.ToArray() };
            var answer = await requester.RequestAsync(request, TimeSpan.FromSeconds(5), cancellation);
            Console.WriteLine($"{topic}: {(answer.Response is { } response ? Encoding.UTF8.GetString(response.Payload.Span) : $"{answer.Reason}")}");
        }
    }

    private static ValueTask<MqttMessage?> Square(MqttMessage request, CancellationToken cancellation)
    {
        var number = int.Parse(request.Payload.Span, CultureInfo.InvariantCulture);
        return ValueTask.FromResult<MqttMessage?>(request with { Payload = Encoding.UTF8.GetBytes($"{number * number}") });
    }

    private static async Task<MqttClient> ConnectAsync(MqttBroker broker, string clientId, CancellationToken cancellation)
    {
        var client = new MqttClient(new MqttClientOptions { Server = broker.Endpoints[0].Address, ClientId = clientId });
        var result = await client.ConnectAsync(cancellation);
        return result.IsAccepted ? client : throw new MqttException($"refused: {result.Reason}");
    }
}
