using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Client;

/// <summary>
/// SUBSCRIBE and UNSUBSCRIBE: which wait for an answer, and what to subscribe to again when the broker has lost the session. Runs under the
/// client's lock.
/// </summary>
internal sealed class ClientRequests
{
    private const int RequestsMax = 1024;

    private readonly Dictionary<string, TopicSubscription> _wanted = new(StringComparer.Ordinal);
    private readonly List<Request> _unsent = [];
    private Dictionary<ushort, Request> _sent = [];
    private readonly ushort _aboveId;
    private ushort _lastId;
    private long _lastOrder;

    /// <param name="aboveId">Packet ids up to it are for messages, so the two never meet.</param>
    public ClientRequests(ushort aboveId) => _aboveId = _lastId = aboveId;

    /// <param name="link">Null: it goes out with the next connection.</param>
    public Task<IReadOnlyList<ReasonCode>> Subscribe(
        IReadOnlyList<TopicSubscription> subscriptions, IReadOnlyList<UserProperty> userProperties, SessionLink? link)
    {
        foreach (var subscription in subscriptions) _wanted[subscription.Filter] = subscription;
        return Begin(new Request(subscriptions, null) { UserProperties = userProperties }, link);
    }

    /// <inheritdoc cref="Subscribe"/>
    public Task<IReadOnlyList<ReasonCode>> Unsubscribe(IReadOnlyList<string> filters, SessionLink? link)
    {
        foreach (var filter in filters) _wanted.Remove(filter);
        return Begin(new Request(null, filters), link);
    }

    public void Attach(SessionLink link, bool sessionPresent)
    {
        // The unanswered ones cover theirs: the broker would send what it retained twice.
        var covered = new HashSet<string>(_unsent.SelectMany(request => request.Subscriptions ?? []).Select(subscription => subscription.Filter));
        foreach (var subscription in _wanted.Values)
        {
            if (!sessionPresent && !covered.Contains(subscription.Filter)) Send(new Request([subscription], null), link);
        }

        foreach (var request in _unsent) Send(request, link);
        _unsent.Clear();
    }

    /// <summary>What was not answered is asked again on the next connection, in the same order.</summary>
    public void Detach()
    {
        _unsent.AddRange(_sent.Values.OrderBy(request => request.Order));
        _sent = [];
    }

    /// <summary>A failure: the answer is none to what was asked.</summary>
    public ReasonCode Answer(SubAckPacket answer)
    {
        if (!_sent.TryGetValue(answer.PacketId, out var request)) return ReasonCode.Success;
        if (!request.IsAnsweredBy(answer)) return ReasonCode.ProtocolError;
        _sent.Remove(answer.PacketId);
        request.Answer.TrySetResult(answer.Reasons);
        return ReasonCode.Success;
    }

    /// <summary>No connection will come any more.</summary>
    public void End(MqttException cause)
    {
        foreach (var request in _sent.Values.Concat(_unsent)) request.Answer.TrySetException(cause);
        _sent.Clear();
        _unsent.Clear();
    }

    private Task<IReadOnlyList<ReasonCode>> Begin(Request request, SessionLink? link)
    {
        if (_sent.Count + _unsent.Count >= RequestsMax) throw new MqttException($"{RequestsMax} requests wait for an answer already.");
        if (link is null) _unsent.Add(request);
        else Send(request, link);
        return request.Answer.Task;
    }

    private void Send(Request request, SessionLink link)
    {
        do _lastId = _lastId == ushort.MaxValue ? (ushort)(_aboveId + 1) : (ushort)(_lastId + 1);
        while (_sent.ContainsKey(_lastId));
        request.Order = ++_lastOrder;
        if (link.Output.TryWrite(request.ToPacket(_lastId)))
        {
            _sent.Add(_lastId, request);
            return;
        }

        foreach (var subscription in request.Subscriptions ?? []) _wanted.Remove(subscription.Filter);
        request.Answer.TrySetException(new MqttException("The request is larger than the broker takes."));
    }

    private sealed class Request(IReadOnlyList<TopicSubscription>? subscriptions, IReadOnlyList<string>? filters)
    {
        public IReadOnlyList<TopicSubscription>? Subscriptions => subscriptions;

        public TaskCompletionSource<IReadOnlyList<ReasonCode>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

        public long Order { get; set; }

        /// <summary>One reason for each filter; an UNSUBACK of MQTT 3.1.1 has none at all.</summary>
        public bool IsAnsweredBy(SubAckPacket answer) => answer.Type == PacketType.SubAck
            ? answer.Reasons.Count == subscriptions?.Count
            : filters is not null && (answer.Reasons.Count == 0 || answer.Reasons.Count == filters.Count);

        public Packet ToPacket(ushort packetId) => subscriptions is null
            ? new UnsubscribePacket { PacketId = packetId, Filters = filters! }
            : new SubscribePacket
            {
                PacketId = packetId,
                Entries = EntriesOf(subscriptions),
                Properties = new PacketProperties
                {
                    SubscriptionIds = subscriptions[0].Identifier is { } identifier ? [identifier] : null,
                    UserProperties = UserProperties,
                },
            };

        // A loop, not Select: LINQ over structs is what makes a Native AOT binary large.
        private static SubscribeEntry[] EntriesOf(IReadOnlyList<TopicSubscription> subscriptions)
        {
            var entries = new SubscribeEntry[subscriptions.Count];
            for (var i = 0; i < entries.Length; i++) entries[i] = new SubscribeEntry(subscriptions[i].Filter, subscriptions[i].Options);
            return entries;
        }
    }
}
