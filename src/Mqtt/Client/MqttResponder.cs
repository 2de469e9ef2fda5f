using System.Threading.Channels;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// Answers requests that come to a filter, several at a time. A request is acknowledged when it is taken; one that finds the queue full is
/// dropped, and its requester's time-out tells. Requests without a response topic are shown too, and their answers go nowhere.
/// </summary>
public sealed class MqttResponder : IAsyncDisposable
{
    /// <summary>Requests that wait for their turn.</summary>
    public const int WaitingMax = 1024;

    private readonly MqttClient _client;
    private readonly Func<MqttMessage, CancellationToken, ValueTask<MqttMessage?>> _answer;
    private readonly Channel<MqttMessage> _requests = Channel.CreateBounded<MqttMessage>(WaitingMax);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Interception _interception;

    private MqttResponder(MqttClient client, string filter, Func<MqttMessage, CancellationToken, ValueTask<MqttMessage?>> answer, int atOnce)
    {
        _client = client;
        _answer = answer;
        _interception = new Interception(client, filter, request => _requests.Writer.TryWrite(request));
        Completion = Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => Task.Run(ServeAsync)));
    }

    /// <summary>Ends with the responder, or faults with what <c>answer</c> threw. The host must await it.</summary>
    public Task Completion { get; }

    /// <param name="filter">Requests' topics; a shared subscription spreads them over several responders.</param>
    /// <param name="answer">Payload and properties of the answer; its topic is ignored. Null: none.</param>
    /// <param name="atOnce">How many requests are worked on at a time.</param>
    /// <exception cref="MqttException">There is no connection, or the broker does not allow the subscription.</exception>
    /// <exception cref="ArgumentException">The filter is not valid.</exception>
    public static async Task<MqttResponder> StartAsync(
        MqttClient client,
        string filter,
        Func<MqttMessage, CancellationToken, ValueTask<MqttMessage?>> answer,
        int atOnce = 16,
        CancellationToken cancellation = default)
    {
        if (!SharedFilter.TryParse(filter, out var parsed)) throw new ArgumentException("Not a topic filter.", nameof(filter));
        var responder = new MqttResponder(client, parsed.Filter, answer, atOnce);
        try
        {
            var reason = await client.SubscribeAsync(filter, QoS.AtLeastOnce, cancellation);
            return reason.IsFailure() ? throw new MqttException($"No requests may be had on {filter}: {reason}.") : responder;
        }
        catch
        {
            await responder.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more requests and gives up those under way.</summary>
    public async ValueTask DisposeAsync()
    {
        _interception.Dispose();
        _requests.Writer.TryComplete();
        await _stopping.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            await foreach (var request in _requests.Reader.ReadAllAsync(_stopping.Token))
            {
                var response = await _answer(request, _stopping.Token);
                if (response is null || request.ResponseTopic is not { } topic) continue;
                var reason = await _client.PublishAsync(Address(response, request, topic), _stopping.Token);
                if (reason.IsFailure()) MqttLog.ClientMessageLost(_client.Options.Logger, topic, reason);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or MqttException)
        {
            // Asked to, or the client has no connection any more.
        }
    }

    private static MqttMessage Address(MqttMessage response, MqttMessage request, string topic) => response with
    {
        Topic = topic,
        CorrelationData = request.CorrelationData,
        QoS = QoS.AtLeastOnce,
        Retain = false,
        MessageExpirySeconds = response.MessageExpirySeconds ?? request.MessageExpirySeconds,
    };
}
