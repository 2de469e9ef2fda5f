using System.Buffers.Binary;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// Remote procedure calls over a client of version 5 (section 4.10): each request carries a response topic and correlation data, and its answer
/// is the message that comes back with them. Any number may be under way, up to a bound. Answers that come too late, or twice, are dropped.
/// </summary>
public sealed class MqttRequester : IDisposable
{
    /// <summary>Requests under way at once; a further one is answered with <see cref="ReasonCode.QuotaExceeded"/>.</summary>
    public const int PendingMax = 1024;

    private const int TagBytes = 8;

    private readonly MqttClient _client;
    private readonly string _responseTopic;
    private readonly Interception _interception;
    private readonly Lock _gate = new();
    private readonly Dictionary<long, TaskCompletionSource<MqttMessage>> _pending = [];
    private readonly byte[] _tag = Guid.NewGuid().ToByteArray()[..TagBytes];
    private long _last;
    private long _dropped;

    private MqttRequester(MqttClient client, string responseTopic)
    {
        _client = client;
        _responseTopic = responseTopic;
        _interception = new Interception(client, responseTopic, Take);
    }

    /// <summary>Answers that nobody waited for any more.</summary>
    public long DroppedAnswers => Interlocked.Read(ref _dropped);

    /// <summary>Subscribes to the answers.</summary>
    /// <param name="responseTopic">Where answers are sent; null: <c>response/</c> and the client's id.</param>
    /// <exception cref="MqttException">There is no connection, or the broker does not allow the subscription.</exception>
    /// <exception cref="ArgumentException">The topic is not a valid topic name.</exception>
    /// <exception cref="InvalidOperationException">The client speaks 3.1.1, which has no response topics.</exception>
    public static async Task<MqttRequester> StartAsync(MqttClient client, string? responseTopic = null, CancellationToken cancellation = default)
    {
        if (client.Options.Version != ProtocolVersion.V5) throw new InvalidOperationException("Requests need version 5.");
        var topic = responseTopic ?? $"response/{client.ClientId}";
        if (!TopicName.IsValid(topic)) throw new ArgumentException("Not a topic name.", nameof(responseTopic));
        var requester = new MqttRequester(client, topic);
        try
        {
            var reason = await client.SubscribeAsync(topic, QoS.AtLeastOnce, cancellation);
            return reason.IsFailure() ? throw new MqttException($"No answers may be had on {topic}: {reason}.") : requester;
        }
        catch
        {
            requester.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Publishes a request and waits for its answer. Its QoS is raised to 1, so that the broker says when nobody listens, and it expires
    /// with the time-out, so that nobody works on what nobody waits for.
    /// </summary>
    /// <exception cref="TimeoutException">No answer in time.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; an answer that comes yet is dropped.</exception>
    /// <exception cref="MqttException">The client lost its connection for good.</exception>
    public async Task<RequestAnswer> RequestAsync(MqttMessage request, TimeSpan timeout, CancellationToken cancellation = default)
    {
        var answer = new TaskCompletionSource<MqttMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!TryAdd(answer, out var id)) return new RequestAnswer(ReasonCode.QuotaExceeded, null);
        using var late = new CancellationTokenSource(timeout, _client.Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellation);
        try
        {
            var publishing = _client.PublishAsync(Complete(request, id, timeout), either.Token);
            // The answer may be faster than the acknowledgement.
            if (await Task.WhenAny(answer.Task, publishing) == publishing)
            {
                var reason = await publishing;
                if (reason.IsFailure() || reason == ReasonCode.NoMatchingSubscribers) return new RequestAnswer(reason, null);
            }

            return new RequestAnswer(ReasonCode.Success, await answer.Task.WaitAsync(either.Token));
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"No answer from {request.Topic} within {timeout}.");
        }
        finally
        {
            lock (_gate) _pending.Remove(id);
        }
    }

    /// <summary>Answers are no longer looked for; the subscription stays until the client ends.</summary>
    public void Dispose() => _interception.Dispose();

    private bool TryAdd(TaskCompletionSource<MqttMessage> answer, out long id)
    {
        lock (_gate)
        {
            id = ++_last;
            return _pending.Count < PendingMax && _pending.TryAdd(id, answer);
        }
    }

    private MqttMessage Complete(MqttMessage request, long id, TimeSpan timeout)
    {
        var correlation = new byte[TagBytes + sizeof(long)];
        _tag.CopyTo(correlation, 0);
        BinaryPrimitives.WriteInt64BigEndian(correlation.AsSpan(TagBytes), id);
        var seconds = (uint)Math.Clamp(Math.Ceiling(timeout.TotalSeconds), 1, uint.MaxValue);
        return request with
        {
            QoS = request.QoS == QoS.AtMostOnce ? QoS.AtLeastOnce : request.QoS,
            ResponseTopic = _responseTopic,
            CorrelationData = correlation,
            MessageExpirySeconds = Math.Min(request.MessageExpirySeconds ?? uint.MaxValue, seconds),
        };
    }

    private void Take(MqttMessage message)
    {
        TaskCompletionSource<MqttMessage>? waiting = null;
        // An earlier process may have used the same numbers, hence the tag.
        if (message.CorrelationData is { Length: TagBytes + sizeof(long) } correlation && correlation.Span.StartsWith(_tag))
        {
            lock (_gate) _pending.Remove(BinaryPrimitives.ReadInt64BigEndian(correlation.Span[TagBytes..]), out waiting);
        }

        if (waiting is null || !waiting.TrySetResult(message)) Interlocked.Increment(ref _dropped);
    }
}
