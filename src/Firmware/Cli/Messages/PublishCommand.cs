using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary><c>edge-firmware pub</c>: publishes and waits until the broker has answered for everything.</summary>
internal static class PublishCommand
{
    public static async Task<int> RunAsync(MessageFlags flags, Stream input, TextWriter output, Action<string> debug, CancellationToken cancel)
    {
        await using var client = await MessageClient.ConnectAsync(flags, reconnect: false, cancel);
        debug($"connected as '{client.ClientId}'");
        var topic = flags.Topics[0];
        // So many acknowledgements may be missing; QoS 0 has none and is counted likewise, until it is written.
        using var window = new SemaphoreSlim(flags.InFlightMax);
        var refusal = ReasonCode.Success;
        var sent = 0;
        await foreach (var payload in PayloadSource.ReadAsync(flags, input, cancel))
        {
            await window.WaitAsync(cancel);
            if (refusal.IsFailure()) break;
            PublishOne(flags.Properties.Publish with { Topic = topic, Payload = payload, QoS = flags.QoS, Retain = flags.Retain });
            debug($"published {payload.Length} bytes to '{topic}'");
            sent++;
        }

        for (var i = 0; i < flags.InFlightMax; i++) await window.WaitAsync(cancel);
        if (refusal.IsFailure()) throw new OperationRefusedException(409, $"the broker refused it: {refusal}");
        await client.DisconnectAsync();
        if (flags.Json) output.WriteLine(new JsonObject { ["published"] = sent }.ToJsonString());
        return ExitCode.Done;

        async void PublishOne(MqttMessage message)
        {
            var reason = await AnswerAsync(client, message, cancel);
            if (reason.IsFailure()) refusal = reason;
            window.Release();
        }
    }

    private static async Task<ReasonCode> AnswerAsync(MqttClient client, MqttMessage message, CancellationToken cancel)
    {
        try
        {
            return await client.PublishAsync(message, cancel);
        }
        catch (MqttException)
        {
            return ReasonCode.UnspecifiedError; // the connection was lost
        }
        catch (OperationCanceledException)
        {
            return ReasonCode.Success; // the one who waits for the window is told
        }
    }
}
