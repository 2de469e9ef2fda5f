using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>One connection of a bridge, from CONNACK to its end: what the other broker says, applied to the bridge's session.</summary>
internal sealed class BridgeConnection
{
    /// <summary>Above what the session uses, so that it needs no register of its own.</summary>
    private const ushort SubscribeId = ushort.MaxValue;

    /// <summary>A remote broker that has no room for a message for that long loses it, and one more each time.</summary>
    private static readonly TimeSpan NoRoomPatience = TimeSpan.FromMinutes(1);

    private readonly MqttBroker _broker;
    private readonly BrokerCore _core;
    private readonly MqttBridge _bridge;
    private readonly BridgeSession _session;
    private readonly ClientConnection _connection;
    private readonly MessageDispatch _messages;
    private readonly AliasTable _aliases;
    private readonly SessionLink _link;
    private readonly TimeSpan _keepAlive;
    private long _lastReceivedAt;

    public BridgeConnection(MqttBridge bridge, MqttClientOptions options, MqttBroker broker, BridgeSession session, ClientConnection connection, ConnAckPacket answer)
    {
        _bridge = bridge;
        _broker = broker;
        _core = broker.Core;
        _session = session;
        _connection = connection;
        var properties = answer.Properties;
        RemoteName = BridgeMark.NameIn(properties.UserProperties);
        // A broker that tells no name is known by the way to it.
        Mark = RemoteName ?? bridge.WayMark;
        var output = new BridgeOutput(connection, bridge.Map, broker.Options.Identity!, properties.RetainAvailable ?? true, options.Version);
        _link = new SessionLink(output, options.Version)
        {
            ReceiveMaximum = properties.ReceiveMaximum ?? ushort.MaxValue,
            PacketBytesMax = properties.MaximumPacketBytes ?? uint.MaxValue,
            TopicAliasMax = Math.Min(properties.TopicAliasMaximum ?? 0, broker.Options.Limits.TopicAliasMax),
        };
        _messages = new MessageDispatch(_core, broker.Options, session.Session, _link);
        _aliases = new AliasTable(options.TopicAliasMaximum);
        _keepAlive = properties.ServerKeepAliveSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : options.KeepAlive;
        _lastReceivedAt = _core.Now.Ticks;
    }

    /// <summary>Null when the other broker does not tell.</summary>
    public string? RemoteName { get; }

    /// <summary>What is put on messages from over there, and not sent back there.</summary>
    public string Mark { get; }

    /// <summary>Runs until the connection ends; the result says why.</summary>
    public async Task<string> RunAsync(bool sessionPresent, bool subscribe, List<Packet> packets)
    {
        try
        {
            using (var turn = _core.Enter())
            {
                _session.Attach(_link, sessionPresent, turn);
                if (subscribe || !sessionPresent) Subscribe(sessionPresent);
            }

            using var ping = _keepAlive > TimeSpan.Zero
                ? _broker.Options.TimeProvider.CreateTimer(_ => Ping(), null, _keepAlive / 2, _keepAlive / 2)
                : null;
            while (true)
            {
                if (Handle(packets) is { } end) return end;
                // Neither more than the other side takes in turn nor more than the disk does.
                if (_connection.UnsentBytes > _broker.Options.Limits.OutboundBytesMax) await _connection.WhenSent();
                if (_core.Journal?.Behind is { } behind) await behind.WaitAsync(_broker.Stopping);
                packets = await _connection.ReceiveAsync();
                if (packets.Count == 0) return _connection.Failure == ReasonCode.Success ? "the connection was closed" : $"{_connection.Failure}";
            }
        }
        catch (Exception failure) when (Wire.IsGone(failure) || failure is MqttException or OperationCanceledException)
        {
            return failure.Message;
        }
        finally
        {
            using (var turn = _core.Enter()) _session.Detach(_link, turn);
            _connection.Dispose();
            _connection.Release();
        }
    }

    /// <summary>Says good-bye.</summary>
    public void Leave()
    {
        using (var turn = _core.Enter()) _connection.Write(new ReasonPacket(PacketType.Disconnect) { Reason = ReasonCode.Success });
    }

    public Task WhenSent() => _connection.WhenSent();

    public void Close() => _connection.Dispose();

    /// <summary>The connection took all it was given.</summary>
    public void OnDrained()
    {
        using var turn = _core.Enter();
        if (ReferenceEquals(_session.Session.Link, _link)) _session.Session.Pump(turn.Now, turn.Settled);
    }

    private void Subscribe(bool sessionPresent)
    {
        // What is retained over there came when the subscription was made.
        var handling = sessionPresent ? RetainHandling.SendIfNewSubscription : RetainHandling.SendAlways;
        var filters = _bridge.Map.In.DistinctBy(topic => topic.RemoteFilter).ToArray();
        if (filters.Length == 0) return;
        var entries = new SubscribeEntry[filters.Length];
        for (var i = 0; i < entries.Length; i++)
            entries[i] = new SubscribeEntry(filters[i].RemoteFilter, new SubscriptionOptions(filters[i].QoS, NoLocal: true, RetainAsPublished: true, handling));
        _connection.Write(new SubscribePacket { PacketId = SubscribeId, Entries = entries });
    }

    /// <summary>Null: it goes on.</summary>
    private string? Handle(List<Packet> packets)
    {
        Volatile.Write(ref _lastReceivedAt, _core.Now.Ticks);
        using var turn = _core.Enter();
        foreach (var packet in packets)
        {
            if (!ReferenceEquals(_session.Session.Link, _link)) return "another connection took over";
            if (Apply(packet, turn) is { } end) return end;
        }

        _session.Session.Pump(turn.Now, turn.Settled);
        return null;
    }

    private string? Apply(Packet packet, Turn turn)
    {
        switch (packet)
        {
            case PublishPacket publish:
                return Receive(publish, turn);
            case AckPacket ack:
                if (IsNoRoom(ack, turn)) return "the other broker has no room";
                _messages.Apply(ack, turn);
                return null;
            case SubAckPacket ack:
                for (var i = 0; i < ack.Reasons.Count; i++)
                {
                    if (ack.Reasons[i].IsFailure()) return $"the other broker refuses the subscription: {ack.Reasons[i]}";
                }

                return null;
            case PingPacket { Type: PacketType.PingResp }:
                return null;
            case ReasonPacket { Type: PacketType.Disconnect } disconnect:
                return $"the other broker disconnects: {disconnect.Reason} {disconnect.Properties.ReasonString}".TrimEnd();
            default:
                return $"the other broker sent {packet.Type}";
        }
    }

    private string? Receive(PublishPacket publish, Turn turn)
    {
        if (_aliases.Resolve(ref publish) is var failure && failure != ReasonCode.Success) return $"bad topic alias: {failure}";
        var message = publish.Message;
        var topic = _bridge.Map.ToLocal(message.Topic);
        if (topic is null || topic.Length > _broker.Options.Limits.TopicCharsMax || SysTopics.Owns(topic))
        {
            _bridge.Queue.Drop("unmapped", message.Topic);
            _session.Session.Inbound.Acknowledge(publish, _link);
            return null;
        }

        if (_bridge.Options.TakesIn is { } takesIn && !takesIn(topic))
        {
            _bridge.Queue.Drop("not-allowed", message.Topic);
            _session.Session.Inbound.Acknowledge(publish, _link);
            return null;
        }

        if (BridgeMark.IsOn(message, _broker.Options.Identity!) || BridgeMark.IsExhausted(message))
        {
            _bridge.Queue.Drop("loop", message.Topic);
            _session.Session.Inbound.Acknowledge(publish, _link);
            return null;
        }

        message = BridgeMark.Add(message with { Topic = topic }, Mark);
        // The other side keeps it until there is room here.
        if (message.QoS != QoS.AtMostOnce && _core.Journal is { IsFull: true } && _core.Router.NeedsDisk(message)) return "no room on the disk";
        _bridge.CountReceived();
        var taken = new PublishPacket { Message = message, PacketId = publish.PacketId, Duplicate = publish.Duplicate };
        var end = _messages.Apply(taken, ReasonCode.Success, _session.Session.Client, turn);
        return end == ReasonCode.Success ? null : end.ToString();
    }

    /// <summary>A quota is a matter of time: the message stays in flight and is sent again over the next connection, for a while.</summary>
    private bool IsNoRoom(AckPacket ack, Turn turn)
    {
        if (ack.Reason != ReasonCode.QuotaExceeded)
        {
            if (ack.Type is PacketType.PubAck or PacketType.PubComp) _bridge.NoRoomSince = null;
            return false;
        }

        _bridge.NoRoomSince ??= turn.Now;
        if (turn.Now - _bridge.NoRoomSince < NoRoomPatience) return true;
        _bridge.NoRoomSince = turn.Now;
        return false;
    }

    /// <summary>Twice in each keep-alive; a broker silent for one and a half is given up.</summary>
    private void Ping()
    {
        if (_core.Now - TimeSpan.FromTicks(Volatile.Read(ref _lastReceivedAt)) > 1.5 * _keepAlive)
        {
            _connection.Dispose();
            return;
        }

        using var turn = _core.Enter();
        _connection.Write(PingPacket.Request);
    }
}
