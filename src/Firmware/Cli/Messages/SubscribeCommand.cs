using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Firmware.Cli.Messages;

/// <summary><c>edge-firmware sub</c>: prints what comes until it is enough.</summary>
internal static class SubscribeCommand
{
    public static async Task<int> RunAsync(MessageFlags flags, Stream output, TextWriter error, Action<string> debug, CancellationToken cancel)
    {
        await using var client = await MessageClient.ConnectAsync(flags, reconnect: true, cancel);
        debug($"connected as '{client.ClientId}'");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (flags.WaitSeconds is { } seconds) limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            await SubscribeAsync(flags, client, limit.Token);
            debug($"subscribed to {string.Join(", ", flags.Topics)}");
            if (!flags.ExitAfterSubscribe) await PrintAllAsync(flags, client, output, error, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            error.WriteLine("edge-firmware: timed out");
            return ExitCode.TimedOut;
        }

        await client.DisconnectAsync();
        return ExitCode.Done;
    }

    private static async Task SubscribeAsync(MessageFlags flags, MqttClient client, CancellationToken cancel)
    {
        var options = new SubscriptionOptions(flags.QoS, RetainAsPublished: flags.RetainAsPublished);
        TopicSubscription[] wanted = [.. flags.Topics.Select(filter => new TopicSubscription(filter, options, flags.Properties.SubscriptionId))];
        IReadOnlyList<ReasonCode> reasons;
        try
        {
            reasons = await client.SubscribeAsync(wanted, flags.Properties.Subscribe, cancel);
            if (flags.Unsubscribe.Count > 0) await client.UnsubscribeAsync(flags.Unsubscribe, cancel);
        }
        catch (ArgumentException wrong)
        {
            throw new OperationRefusedException(400, wrong.Message);
        }

        for (var i = 0; i < wanted.Length; i++)
        {
            if (reasons[i].IsFailure()) throw new OperationRefusedException(409, $"'{wanted[i].Filter}' was refused: {reasons[i]}");
        }
    }

    private static async Task PrintAllAsync(MessageFlags flags, MqttClient client, Stream output, TextWriter error, CancellationToken cancel)
    {
        var printer = new MessagePrinter(flags, output, error, TimeProvider.System);
        var random = new Random();
        var left = flags.Count ?? int.MaxValue;
        await foreach (var received in client.Messages(cancel))
        {
            var message = received.Message;
            if (flags.RetainedOnly && !message.Retain) return;
            if (message.Retain && flags.SkipRetained) continue;
            if (flags.FiltersOut.Exists(filter => TopicName.Matches(filter, message.Topic))) continue;
            if (flags.RemoveRetained && message.Retain)
                await client.PublishAsync(new MqttMessage { Topic = message.Topic, QoS = QoS.AtLeastOnce, Retain = true }, cancel);
            if (flags.PercentPrinted >= 100 || random.NextDouble() * 100 < flags.PercentPrinted) printer.Print(received);
            if (--left == 0) return;
        }
    }
}
