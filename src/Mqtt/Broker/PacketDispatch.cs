using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// What an accepted client's packets mean. <see cref="Prepare"/> runs without the lock and does what needs none: topic aliases, limits,
/// access rules. <see cref="Run"/> applies all packets of one receive in one turn.
/// </summary>
internal sealed class PacketDispatch
{
    [ThreadStatic]
    private static List<Arrival>? _spareArrivals;

    /// <summary>For one receive of at most 64 KiB: 0.6 MB a second from one publisher, while memory is nearly used up.</summary>
    private static readonly TimeSpan PauseMax = TimeSpan.FromMilliseconds(100);

    private readonly IClientConnection _connection;
    private readonly BrokerOptions _options;
    private readonly BrokerCore _core;
    private readonly AliasTable? _aliases;
    private readonly MessageDispatch _messages;
    private readonly ConnectPacket _connect;
    private readonly Reauthentication? _reauthentication;

    /// <summary>Whose rights the verdicts of <see cref="Prepare"/> are about.</summary>
    private Principal? _judgedAs;

    /// <param name="attempt">With which a client may authenticate again; null: it may not.</param>
    public PacketDispatch(IClientConnection connection, Session session, SessionLink link, ConnectPacket connect, ConnectAttempt? attempt)
    {
        _connection = connection;
        _options = connection.Broker.Options;
        _core = connection.Broker.Core;
        _connect = connect;
        Session = session;
        Link = link;
        _messages = new MessageDispatch(_core, _options, session, link);
        KeepAlive = ConnectHandshake.KeepAliveOf(connect, _options.Limits);
        if (attempt is not null && connect.Properties.AuthenticationMethod is { } method) _reauthentication = new Reauthentication(connection, this, method, attempt);
        if (connect.Version == ProtocolVersion.V5) _aliases = new AliasTable(_options.Limits.TopicAliasMax);
        PacketBytesMax = Accounts.PacketBytesMax(_options.Limits.PacketBytesMax);
        // Whoever comes back for each message keeps to the rate as well.
        PauseAtLeast(Accounts.Spend(0, _core.Now));
        ExpiresWithConnection = connect.Version == ProtocolVersion.V5 && (connect.Properties.SessionExpirySeconds ?? 0) == 0;
    }

    /// <summary>Its principal is replaced when the client authenticates again, and when the access rules change.</summary>
    public ClientInfo Client => Session.Client;

    public string ClientId => Client.ClientId;

    public Session Session { get; }

    public SessionLink Link { get; }

    public TimeSpan KeepAlive { get; }

    /// <summary>The client is a broker that says so: it does not want its own messages back, and retained ones as such.</summary>
    public bool IsBridge => _connect.IsBridge;

    /// <summary>What the client was told in CONNACK.</summary>
    public int PacketBytesMax { get; }

    /// <summary>PUBLISH packets of one receive; what came behind them is for the next turn.</summary>
    public int PublishesAtOnce => Accounts.MessagesAtOnce();

    /// <summary>Why the connection has to end; null while it lives.</summary>
    public ReasonCode? Ended { get; private set; }

    private bool ExpiresWithConnection { get; }

    private QuotaAccount[] Accounts => Client.Principal.AccountArray;

    private TimeSpan? _pause;

    public static bool TopicFits(string topic, BrokerLimits limits) =>
        topic.Length <= limits.TopicCharsMax && TopicName.CountLevels(topic) <= limits.TopicLevelsMax;

    public static List<Arrival> Rent()
    {
        var rented = _spareArrivals ?? [];
        _spareArrivals = null;
        return rented;
    }

    /// <summary>Judges what can be judged without the broker's state. A failure ends the connection after the packets before it.</summary>
    public ReasonCode Prepare(Packet packet, List<Arrival> arrivals)
    {
        if (packet is not PublishPacket publish)
        {
            arrivals.Add(new Arrival(packet, ReasonCode.Success));
            return ReasonCode.Success;
        }

        // [MQTT-3.3.4-6]
        if (publish.Properties.SubscriptionIds is not null) return ReasonCode.ProtocolError;
        var failure = _aliases?.Resolve(ref publish) ?? ReasonCode.Success;
        if (failure == ReasonCode.TopicAliasInvalid) _core.Counters.Hit(BrokerLimit.TopicAlias);
        if (failure != ReasonCode.Success) return failure;
        arrivals.Add(new Arrival(publish, Judge(publish.Message)));
        return ReasonCode.Success;
    }

    /// <param name="failure">Why reading stopped after these packets; Success when it did not.</param>
    public void Run(List<Arrival> arrivals, ReasonCode failure)
    {
        using (var turn = _core.Enter())
        {
            _core.Counters.PacketsIn += arrivals.Count;
            var queuedBefore = _core.Counters.MessagesQueued;
            var published = 0;
            var judgedAs = _judgedAs;
            foreach (var (packet, verdict) in arrivals)
            {
                // Another connection has the session: what this one still says no longer counts.
                if (!ReferenceEquals(Session.Link, Link)) Ended = ReasonCode.SessionTakenOver;
                Ended ??= _connection.Aborted;
                if (Ended is not null) break;
                // The rules changed since: what was judged by the old ones is judged again.
                var isStale = packet is PublishPacket && !ReferenceEquals(judgedAs, Client.Principal);
                if (packet is PublishPacket) published++;
                Apply(packet, isStale ? Judge(((PublishPacket)packet).Message) : verdict, turn);
            }

            if (failure != ReasonCode.Success && Ended is null) End(failure);
            if (Ended is null) Session.Pump(turn.Now, turn.Settled);
            if (_core.Counters.MessagesQueued > queuedBefore) _pause = PauseFor(_core.Counters.HeldBytes);
            if (published > 0) PauseAtLeast(Accounts.Spend(published, turn.Now));
        }

        arrivals.Clear();
        _spareArrivals = arrivals;
    }

    /// <summary>
    /// How long not to read from this client, because what it sends has to be kept and memory is short, or because of its quota; once.
    /// </summary>
    public TimeSpan? TakePause()
    {
        var pause = _pause;
        _pause = null;
        return pause;
    }

    /// <summary>A packet was larger than <see cref="PacketBytesMax"/>. From any thread.</summary>
    public void CountTooLarge()
    {
        if (PacketBytesMax < _options.Limits.PacketBytesMax) Accounts.MeetPacketBytes(PacketBytesMax);
        else _core.Counters.Hit(BrokerLimit.PacketBytes);
    }

    /// <summary>Ends the connection between two turns, saying why.</summary>
    public void Refuse(ReasonCode reason)
    {
        using var turn = _core.Enter();
        if (ReferenceEquals(Session.Link, Link)) End(reason);
    }

    private void PauseAtLeast(TimeSpan pause)
    {
        if (pause > TimeSpan.Zero && !(pause <= _pause)) _pause = pause;
    }

    private TimeSpan? PauseFor(long heldBytes)
    {
        var limits = _options.Limits;
        if (heldBytes <= limits.HeldBytesTight) return null;
        _core.Counters.PublishersSlowed++;
        var share = (double)(heldBytes - limits.HeldBytesTight) / Math.Max(1, limits.HeldBytesMax - limits.HeldBytesTight);
        return PauseMax * Math.Clamp(share, 0.1, 1);
    }

    private ReasonCode Judge(MqttMessage message)
    {
        var topic = message.Topic;
        _judgedAs = Client.Principal;
        if (!TopicFits(topic, _options.Limits))
        {
            _core.Counters.Hit(BrokerLimit.Topic);
            return ReasonCode.TopicNameInvalid;
        }

        if (SysTopics.Owns(topic)) return ConnectHandshake.IsNotification(_connect, topic, _connection.Broker) ? ReasonCode.Success : ReasonCode.NotAuthorized;
        return AccessReview.MayPublish(_options.Access, _judgedAs, message) ? ReasonCode.Success : ReasonCode.NotAuthorized;
    }

    private void Apply(Packet packet, ReasonCode verdict, Turn turn)
    {
        switch (packet)
        {
            case PublishPacket publish:
                if (_messages.Apply(publish, verdict, Client, turn) is var failure && failure != ReasonCode.Success) End(failure);
                break;
            case AckPacket ack: _messages.Apply(ack, turn); break;
            case SubscribePacket subscribe: SubscribeDispatch.Apply(subscribe, this, _connection, turn); break;
            case UnsubscribePacket unsubscribe: SubscribeDispatch.Apply(unsubscribe, this, _connection, turn); break;
            case PingPacket { Type: PacketType.PingReq }: _connection.Write(PingPacket.Response); break;
            case ReasonPacket { Type: PacketType.Disconnect } disconnect: Apply(disconnect); break;
            case ReasonPacket { Type: PacketType.Auth } auth when _reauthentication is not null: Apply(auth, _reauthentication, turn); break;
            default: End(ReasonCode.ProtocolError); break;
        }
    }

    private void Apply(ReasonPacket auth, Reauthentication reauthentication, Turn turn)
    {
        var failure = reauthentication.Handle(auth, turn);
        if (failure != ReasonCode.Success) End(failure);
    }

    private void Apply(ReasonPacket disconnect)
    {
        // Only a server may point elsewhere (MQTT 5 section 3.14.2.2.5).
        if (disconnect.Properties.ServerReference is not null)
        {
            End(ReasonCode.ProtocolError);
            return;
        }

        if (disconnect.Properties.SessionExpirySeconds is { } seconds)
        {
            // [MQTT-3.14.2-2]: a session that was to end with its connection cannot be prolonged at the last moment.
            if (ExpiresWithConnection && seconds > 0)
            {
                End(ReasonCode.ProtocolError);
                return;
            }

            Session.Expiry = ConnectHandshake.Capped(seconds, _options.Limits);
        }

        Ended = disconnect.Reason;
    }

    private void End(ReasonCode reason)
    {
        Ended = reason;
        if (Link.Version != ProtocolVersion.V5) return;
        _connection.Write(new ReasonPacket(PacketType.Disconnect) { Reason = reason });
    }
}

/// <summary>A decoded packet and, for a PUBLISH, whether it is allowed.</summary>
internal readonly record struct Arrival(Packet Packet, ReasonCode Verdict);
