using System.Net;
using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// Which sensor a datagram is from, and who may be one: an MQTT-SN 1.2 gateway whose sensors are clients of the broker. Anybody can make up the source
/// of a datagram, so what is done for those who are not connected has a rate. Inside turns.
/// </summary>
internal sealed class SensorGateway
{
    private readonly SensorNetOptions _options;
    private readonly PredefinedTopics _predefined;
    private readonly BrokerLimits _limits;
    private readonly List<SensorConnection> _connections = [];
    private readonly Random _random;
    private readonly TokenBucket _connects;
    private readonly TokenBucket _answers;
    private readonly TokenBucket _unconnected;

    public SensorGateway(MqttBroker broker, SensorNetOptions options)
    {
        Broker = broker;
        _options = options;
        _predefined = new PredefinedTopics(options.PredefinedTopics);
        _random = broker.Options.RandomSeed is { } seed ? new Random(seed) : new Random();
        _connects = new TokenBucket(options.ConnectsPerSecond);
        _answers = new TokenBucket(options.AnswersPerSecond);
        _unconnected = new TokenBucket(options.UnconnectedPerSecond);
        var ours = broker.Options.Limits;
        _limits = new BrokerLimits
        {
            QueuedMessagesMax = options.QueuedMessagesMax,
            QueuedBytesMax = options.QueuedBytesMax,
            InFlightMax = ours.InFlightMax,
            OutboundBytesMax = ours.OutboundBytesMax,
            HeldBytesMax = ours.HeldBytesMax,
        };
    }

    public MqttBroker Broker { get; }

    public int Connections => _connections.Count;

    private BrokerCore Core => Broker.Core;

    /// <summary>A datagram came. Enters a turn when it makes sense.</summary>
    public void Receive(SensorListener listener, IPEndPoint from, ReadOnlySpan<byte> datagram)
    {
        Core.Counters.AddBytesIn(datagram.Length);
        if (datagram.Length > _options.PacketBytesMax || SensorCodec.Read(datagram) is not { } packet)
        {
            Core.Counters.CountBadDatagram();
            return;
        }

        using var turn = Core.Enter();
        var known = listener.Connections.GetValueOrDefault(from);
        switch (packet.Type)
        {
            case SensorPacketType.Connect: Connect(listener, from, packet, known, turn); break;
            case SensorPacketType.SearchGateway:
                Answer(listener, from, new SensorPacket(SensorPacketType.GatewayInfo) { Number = _options.GatewayId }, turn);
                break;
            // Other gateways.
            case SensorPacketType.Advertise or SensorPacketType.GatewayInfo: break;
            case SensorPacketType.Publish when packet.IsUnconnected && known?.Session is null: PublishUnconnected(from, packet, turn); break;
            default:
                if (known is not null) known.Handle(packet, turn);
                // It has to connect anew. Not to those that may be gateways too, or both would go on for ever.
                else if (IsSensors(packet.Type)) Answer(listener, from, new SensorPacket(SensorPacketType.Disconnect), turn);
                break;
        }
    }

    public void Advance(Turn turn)
    {
        for (var i = _connections.Count - 1; i >= 0; i--)
        {
            // Those that leave go to the end of the list.
            if (i < _connections.Count) _connections[i].Advance(turn);
        }
    }

    public void Stop()
    {
        foreach (var connection in _connections) connection.Abort(ReasonCode.ServerShuttingDown);
    }

    /// <summary>Forgets a connection that has ended.</summary>
    public void Remove(SensorConnection connection)
    {
        _connections.Remove(connection);
        var connections = connection.Listener.Connections;
        if (ReferenceEquals(connections.GetValueOrDefault(connection.Address), connection)) connections.Remove(connection.Address);
    }

    /// <summary>Judges a CONNECT that is complete, and gives the sensor its session or a refusal.</summary>
    public void Open(SensorConnection connection, ConnectPacket connect, Turn turn)
    {
        var code = TryOpen(connection, connect, turn);
        if (code == SensorReturnCode.Accepted) return;
        MqttLog.SensorRefused(Broker.Logger, connect.ClientId, connection.Address.ToString(), code.ToString());
        connection.Client.Refuse(code);
    }

    private SensorReturnCode TryOpen(SensorConnection connection, ConnectPacket asked, Turn turn)
    {
        var clientId = _options.ClientIdPrefix + asked.ClientId;
        if (clientId.Length > Broker.Options.Limits.ClientIdCharsMax)
        {
            Core.Counters.Hit(BrokerLimit.ClientId);
            return SensorReturnCode.NotSupported;
        }

        if (_options.Admit(clientId) is not { } principal) return SensorReturnCode.NotSupported;
        if (asked.Will is { Message: var message } && !MayPublish(principal, message)) return SensorReturnCode.NotSupported;
        var client = new ClientInfo(clientId, principal, connection.Address.ToString(), Trusted: false, asked.Version);
        var before = Core.Sessions.GetValueOrDefault(clientId);
        if (before is null && CountSessions() >= _options.ClientsMax)
        {
            Core.Counters.Hit(BrokerLimit.Sensors);
            return SensorReturnCode.Congestion;
        }

        switch (ConnectHandshake.Objection(client, Broker, turn))
        {
            case ReasonCode.QuotaExceeded: return SensorReturnCode.Congestion;
            case not ReasonCode.Success: return SensorReturnCode.NotSupported;
        }

        var earlier = before?.Link?.Output as SensorConnection;
        var will = earlier is not null && connection.Client.KeepsWill ? before!.Will : asked.Will;
        // It goes on, perhaps from another address: it did not vanish.
        if (earlier is not null) before!.Will = null;
        var expiry = ConnectHandshake.Capped(asked.Properties.SessionExpirySeconds ?? 0, Broker.Options.Limits);
        if (Core.Connect(client, new SessionTerms(asked.CleanStart, expiry, will), turn) is not { } connected) return SensorReturnCode.Congestion;
        connected.Session.Outbound.Govern(_limits, SensorQueue.Instance);
        if (connected.Present) AccessReview.Become(connected.Session, principal, Broker, turn, new ReviewSummary());
        SensorTopics? topics = null;
        if (connected.Present && earlier is not null)
        {
            topics = earlier.Client.Topics;
            topics.Doubt();
        }

        connection.Open(connected, client, asked, topics, turn);
        return SensorReturnCode.Accepted;
    }

    private void Connect(SensorListener listener, IPEndPoint from, SensorPacket packet, SensorConnection? known, Turn turn)
    {
        if (!_connects.TryTake(turn.Now) || _connections.Count >= 2 * _options.ClientsMax)
        {
            Core.Counters.Hit(BrokerLimit.SensorRate);
            return;
        }

        // Whoever asks to connect from here is no longer who was here before; the session that it had follows it by its name.
        if (known is not null && (known.Session is null || known.Client.Name != packet.Text)) known.Abort(ReasonCode.SessionTakenOver);
        var topics = new SensorTopics(_predefined, _options.TopicsMax, (ushort)_random.Next(1, ushort.MaxValue));
        var connection = new SensorConnection(this, listener, from, new SensorClient(_options, topics, packet, turn.Now), turn);
        _connections.Add(connection);
        listener.Connections[from] = connection;
        connection.Run(turn);
    }

    /// <summary>QoS -1 (MQTT-SN 1.2 section 6.8): a message of somebody who has no session, under the rights that all sensors have.</summary>
    private void PublishUnconnected(IPEndPoint from, SensorPacket packet, Turn turn)
    {
        var name = packet.TopicIdType == TopicIdType.Normal ? null : new SensorTopics(_predefined, 0, 1).NameOf(packet.TopicIdType, packet.TopicId);
        var clientId = _options.ClientIdPrefix;
        if (name is null || _options.Admit(clientId) is not { } principal)
        {
            Core.Counters.CountBadDatagram();
            return;
        }

        if (!_unconnected.TryTake(turn.Now) || principal.AccountArray.Spend(1, turn.Now) > TimeSpan.Zero)
        {
            Core.Counters.Hit(BrokerLimit.SensorRate);
            return;
        }

        var client = new ClientInfo(clientId, principal, from.ToString(), Trusted: false, ProtocolVersion.V5);
        var session = new Session(client, _limits, Core.Counters);
        var message = new MqttMessage { Topic = name, Payload = packet.Data, Retain = packet.Retain };
        var verdict = MayPublish(principal, message) ? ReasonCode.Success : ReasonCode.NotAuthorized;
        // Of QoS 0, so that nothing is ever written to it.
        var link = new SessionLink(NoOutput.Instance, ProtocolVersion.V5);
        new MessageDispatch(Core, Broker.Options, session, link).Apply(new PublishPacket { Message = message }, verdict, client, turn);
    }

    /// <summary>What nobody else judges: a will, and a message without a session.</summary>
    public bool MayPublish(Principal principal, MqttMessage message) =>
        PacketDispatch.TopicFits(message.Topic, Broker.Options.Limits) && ConnectHandshake.MayPublish(Broker, principal, message);

    private void Answer(SensorListener listener, IPEndPoint to, SensorPacket packet, Turn turn)
    {
        if (_answers.TryTake(turn.Now)) listener.Send(SensorCodec.Write(packet), to);
        else Core.Counters.Hit(BrokerLimit.SensorRate);
    }

    private static bool IsSensors(SensorPacketType type) => type is SensorPacketType.Register or SensorPacketType.Publish or SensorPacketType.Subscribe
        or SensorPacketType.Unsubscribe or SensorPacketType.PingReq or SensorPacketType.WillTopicUpdate or SensorPacketType.WillMessageUpdate;

    /// <summary>Only asked for a name that is new.</summary>
    private int CountSessions()
    {
        var count = 0;
        foreach (var clientId in Core.Sessions.Keys)
        {
            if (clientId.StartsWith(_options.ClientIdPrefix, StringComparison.Ordinal)) count++;
        }

        return count;
    }
}
