using System.Runtime.CompilerServices;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// An MQTT client. Connect or start, then publish and subscribe from any thread and read messages from one. Messages of QoS 1 and 2 are
/// acknowledged when they are read, so a reader that falls behind slows the broker down instead of filling memory.
/// </summary>
public sealed class MqttClient : IAsyncDisposable
{
    private readonly MqttClientOptions _options;
    private readonly ClientState _state;
    private readonly ClientLoop _loop;
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource<ReasonCode> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ClientJournal? _journal;
    private bool _isStarted;
    private Task _running = Task.CompletedTask;

    /// <exception cref="ArgumentException">The options ask for what no CONNECT can say, or for messages to be kept for a client without an id.</exception>
    public MqttClient(MqttClientOptions options)
    {
        options.Check();
        _options = options;
        _state = new ClientState(this, options);
        _loop = new ClientLoop(options, _state, _stopping.Token);
    }

    /// <summary>Given or assigned.</summary>
    public string ClientId => _loop.ClientId;

    public bool IsConnected
    {
        get
        {
            lock (_state.Gate) return _state.Link is not null;
        }
    }

    /// <summary>Completes while there is a connection; read it anew after a loss.</summary>
    public Task Connected => _loop.Connected;

    /// <summary>Completes with the reason when the connection is gone for good: asked for, or lost without reconnecting.</summary>
    public Task<ReasonCode> Disconnected => _disconnected.Task;

    /// <summary>Messages of QoS 1 and 2 that the broker has not acknowledged, those in flight included.</summary>
    public int UnacknowledgedMessages
    {
        get
        {
            lock (_state.Gate) return _state.Outbound.QueuedMessages + _state.Outbound.InFlight;
        }
    }

    /// <summary>What is kept of them takes so many bytes on disk, reserve included; 0 without durability.</summary>
    public long DiskBytes => _journal?.DiskBytes ?? 0;

    internal ClientState State => _state;

    internal MqttClientOptions Options => _options;

    /// <summary>Connects once. A refusal is a result, after which the client is of no further use.</summary>
    /// <exception cref="MqttException">The broker could not be reached or did not answer, or the directory cannot be used.</exception>
    /// <exception cref="InvalidOperationException">Called twice.</exception>
    public async Task<ConnectResult> ConnectAsync(CancellationToken cancellation = default)
    {
        Begin();
        try
        {
            var (result, behind) = await _loop.OpenAsync(_options.CleanStart, cancellation);
            if (result.IsAccepted) _running = RunAsync(behind);
            else await FinishAsync(result.Reason);
            return result;
        }
        catch (Exception failure) when (failure is MqttException or OperationCanceledException)
        {
            // It may be tried again.
            _isStarted = false;
            throw;
        }
    }

    /// <summary>
    /// Connects in the background, however long it takes and again after each loss. From here on messages can be published and
    /// subscriptions made; they wait for the connection.
    /// </summary>
    /// <exception cref="MqttException">The directory cannot be used.</exception>
    /// <exception cref="InvalidOperationException">It does not reconnect, or was started before.</exception>
    public void Start()
    {
        if (!_options.Reconnect) throw new InvalidOperationException("Only a client that reconnects can be started without its broker.");
        Begin();
        _running = RunAsync(null);
    }

    /// <summary>
    /// Publishes with the message's QoS, and waits until the broker has acknowledged it, or for QoS 0 until it is written. While
    /// reconnecting, QoS 1 and 2 wait. The result is the broker's answer; QuotaExceeded is also said when too many wait already. After
    /// cancellation a message that had its place in the queue is still sent.
    /// </summary>
    /// <exception cref="MqttException">The connection was lost for good; with durability the message may still be kept.</exception>
    /// <exception cref="ArgumentException">The topic is not a valid topic name, or a text cannot be said in a packet.</exception>
    public async Task<ReasonCode> PublishAsync(MqttMessage message, CancellationToken cancellation = default)
    {
        var publication = Publish(message);
        await WhenAdmittedAsync(publication, cancellation);
        return await publication.Answered.WaitAsync(cancellation);
    }

    /// <summary>
    /// Publishes without waiting for the broker: returns as soon as the queue has the message and, with durability, the disk. Success
    /// promises that it will be sent; what the broker refuses later is told to <see cref="MqttClientOptions.Undeliverable"/>.
    /// QuotaExceeded: there is no room and <see cref="MqttClientOptions.WhenQueueIsFull"/> says not to wait. QoS 0 is never kept.
    /// </summary>
    /// <inheritdoc cref="PublishAsync"/>
    public async Task<ReasonCode> EnqueueAsync(MqttMessage message, CancellationToken cancellation = default)
    {
        if (message.QoS == QoS.AtMostOnce) return await PublishAsync(message, cancellation);
        var publication = Publish(message);
        var durable = await WhenAdmittedAsync(publication, cancellation);
        await Task.WhenAny(durable, _disconnected.Task).WaitAsync(cancellation);
        if (!durable.IsCompleted) throw new MqttException("The client was stopped before the message was on disk.");
        if (!publication.Answered.IsCompleted)
        {
            _ = ReportAsync(publication);
            return ReasonCode.Success;
        }

        return await publication.Answered;
    }

    /// <summary>Subscribes; the result has one reason for each filter. The identifier of the first entry counts for all.</summary>
    /// <exception cref="MqttException">There is no connection, or it was lost before the answer; a client that reconnects asks again instead.</exception>
    /// <exception cref="ArgumentException">There is no filter, or one is not valid or has options it cannot have.</exception>
    public Task<IReadOnlyList<ReasonCode>> SubscribeAsync(
        IReadOnlyList<TopicSubscription> subscriptions, CancellationToken cancellation = default) => SubscribeAsync(subscriptions, [], cancellation);

    /// <inheritdoc cref="SubscribeAsync(IReadOnlyList{TopicSubscription}, CancellationToken)"/>
    /// <param name="userProperties">Told to the broker with this request (version 5), not when it is renewed after a loss.</param>
    public async Task<IReadOnlyList<ReasonCode>> SubscribeAsync(
        IReadOnlyList<TopicSubscription> subscriptions, IReadOnlyList<UserProperty> userProperties, CancellationToken cancellation = default)
    {
        PacketText.Check(userProperties);
        RequireFilters([.. subscriptions.Select(subscription => subscription.Filter)]);
        foreach (var (filter, options, identifier) in subscriptions)
        {
            // [MQTT-3.8.3-4]
            if (options.NoLocal && SharedFilter.HasPrefix(filter)) throw new ArgumentException("A group has no local messages.", nameof(subscriptions));
            if (identifier is 0 or > VariableInteger.Max) throw new ArgumentException("Not a subscription identifier.", nameof(subscriptions));
        }

        return await Ask(() => _state.Requests.Subscribe(subscriptions, userProperties, _state.Link)).WaitAsync(cancellation);
    }

    /// <inheritdoc cref="SubscribeAsync(IReadOnlyList{TopicSubscription}, CancellationToken)"/>
    public async Task<ReasonCode> SubscribeAsync(string filter, QoS qos = QoS.AtLeastOnce, CancellationToken cancellation = default) =>
        (await SubscribeAsync([new TopicSubscription(filter, qos)], cancellation))[0];

    /// <summary>The result has one reason for each filter; none for MQTT 3.1.1.</summary>
    /// <exception cref="MqttException">There is no connection, or it was lost before the answer; a client that reconnects asks again instead.</exception>
    /// <exception cref="ArgumentException">There is no filter, or one is not valid.</exception>
    public async Task<IReadOnlyList<ReasonCode>> UnsubscribeAsync(IReadOnlyList<string> filters, CancellationToken cancellation = default)
    {
        RequireFilters(filters);
        return await Ask(() => _state.Requests.Unsubscribe(filters, _state.Link)).WaitAsync(cancellation);
    }

    /// <summary>
    /// Proves itself to the broker again, and the broker to it (MQTT 5 section 4.12.1), with <see cref="MqttClientOptions.Authentication"/>.
    /// Other traffic goes on meanwhile.
    /// </summary>
    /// <exception cref="MqttException">There is no connection, or it was lost because one of them was not convinced.</exception>
    /// <exception cref="InvalidOperationException">It connected without a method, or this is going on already.</exception>
    public async Task ReauthenticateAsync(CancellationToken cancellation = default)
    {
        Task? proven = null;
        _state.Do(() => proven = _state.Reauthenticate());
        await proven!.WaitAsync(cancellation);
    }

    /// <summary>The next message; waits for one.</summary>
    /// <exception cref="MqttException">The connection is gone for good and everything was read.</exception>
    public async ValueTask<ReceivedMessage> ReceiveAsync(CancellationToken cancellation = default)
    {
        await foreach (var message in Messages(cancellation)) return message;
        throw new MqttException("Not connected.");
    }

    /// <summary>A message that is there already; null when there is none.</summary>
    public ReceivedMessage? TryReceive()
    {
        if (!_state.Incoming.Reader.TryRead(out var message)) return null;
        if (!_options.AcknowledgeManually) message.Acknowledge();
        return message;
    }

    /// <summary>All messages, until the connection is gone for good.</summary>
    public async IAsyncEnumerable<ReceivedMessage> Messages([EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (await _state.Incoming.Reader.WaitToReadAsync(cancellation))
        {
            while (TryReceive() is { } message) yield return message;
        }
    }

    /// <summary>
    /// Says good-bye, which cancels the will unless the reason asks for it, and closes. What is kept on disk goes on with the next client.
    /// </summary>
    public async Task DisconnectAsync(ReasonCode reason = ReasonCode.Success)
    {
        if (_stopping.IsCancellationRequested)
        {
            await _running;
            return;
        }

        ClientConnection? connection = null;
        _state.Do(() =>
        {
            connection = _state.Connection;
            _state.Link?.Output.Write(new ReasonPacket(PacketType.Disconnect) { Reason = reason });
        });
        await _stopping.CancelAsync();
        if (connection is not null)
        {
            await connection.WhenSent().WaitAsync(_options.ConnectTimeout, _options.TimeProvider).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            connection.Dispose();
        }

        await _running;
        await FinishAsync(reason);
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        _stopping.Dispose();
    }

    internal void Acknowledge(InboundMessage pending, ReasonCode reason) => _state.Do(() =>
    {
        if (!pending.Ready) _state.Inbound.Complete(pending, reason, _state.Link);
    });

    /// <summary>At least one, each of them valid [MQTT-3.8.3-2, MQTT-3.10.3-2].</summary>
    private static void RequireFilters(IReadOnlyList<string> filters)
    {
        if (filters.Count == 0) throw new ArgumentException("No topic filter.", nameof(filters));
        foreach (var filter in filters)
        {
            if (!SharedFilter.TryParse(filter, out _) || !PacketText.IsValid(filter)) throw new ArgumentException("Not a topic filter.", nameof(filters));
        }
    }

    private static async Task<Task> WhenAdmittedAsync(Publication publication, CancellationToken cancellation)
    {
        if (publication.Admitted.IsCompleted) return await publication.Admitted;
        using var withdrawal = cancellation.UnsafeRegister(static publication => ((Publication)publication!).Withdraw(), publication);
        return await publication.Admitted;
    }

    private void Begin()
    {
        if (_isStarted) throw new InvalidOperationException("A client connects once; ask for Reconnect to do so again.");
        _isStarted = true;
        if (_options.Durability is not null && _journal is null) _journal = ClientJournal.Open(_options, _state, bug => _disconnected.TrySetException(bug));
    }

    private Publication Publish(MqttMessage message)
    {
        PacketText.Check(message);
        var publication = new Publication(message, Router.ExpiryOf(message, _state.Now));
        _state.Do(() =>
        {
            MustServe();
            _state.Queue.Publish(publication, _state.Link, _state.Now, _state.Settled);
        });
        return publication;
    }

    private Task<IReadOnlyList<ReasonCode>> Ask(Func<Task<IReadOnlyList<ReasonCode>>> request)
    {
        Task<IReadOnlyList<ReasonCode>>? answer = null;
        _state.Do(() =>
        {
            MustServe();
            answer = request();
        });
        return answer!;
    }

    /// <exception cref="MqttException">There is no connection, and none will come.</exception>
    private void MustServe()
    {
        if (_state.IsEnded || (_state.Link is null && !(_isStarted && _options.Reconnect))) throw new MqttException("Not connected.");
    }

    private async Task ReportAsync(Publication publication)
    {
        await ((Task)publication.Answered).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!publication.Answered.IsCompletedSuccessfully) return;
        var reason = await publication.Answered;
        if (!reason.IsFailure()) return;
        MqttLog.ClientMessageLost(_options.Logger, publication.Outbound.Message.Topic, reason);
        _options.Undeliverable?.Invoke(publication.Outbound.Message, reason);
    }

    private async Task RunAsync(List<Packet>? behind) => await FinishAsync(await _loop.RunAsync(behind));

    private async Task FinishAsync(ReasonCode reason)
    {
        // Before anything is forgotten: what lives is what the next process finds.
        if (_journal is { } journal) await journal.DisposeAsync();
        _disconnected.TrySetResult(reason);
        _state.Do(() => _state.End(new MqttException($"Disconnected: {reason}.")));
    }
}
