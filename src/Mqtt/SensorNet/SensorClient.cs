using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// One sensor from its CONNECT to its end: turns its messages into MQTT packets for its session, and the session's packets into messages. It is given
/// one message at a time, because that is what it has memory for; all others wait in the session. No clock, socket or lock: after each call send what
/// is in <see cref="Outbox"/>, apply what is in <see cref="Requests"/>, and offer it more while it <see cref="CanTake"/>.
/// </summary>
internal sealed partial class SensorClient
{
    /// <summary>Silence of one and a half of what was agreed on is the end, as for MQTT [MQTT-3.1.2-22].</summary>
    private const double SilenceFactor = 1.5;

    private readonly SensorNetOptions _options;
    private readonly SensorPacket _connect;
    private SensorPacket? _willTopic;
    private bool _hasAsked;
    private TimeSpan _heardAt;
    private TimeSpan _sleep;

    public SensorClient(SensorNetOptions options, SensorTopics topics, SensorPacket connect, TimeSpan now)
    {
        _options = options;
        _connect = connect;
        _heardAt = now;
        Topics = topics;
        if (connect.Number != SensorCodec.ProtocolId || connect.Text.Length == 0) Refuse(SensorReturnCode.NotSupported);
        else if (connect.HasWill) Send(SensorPacketType.WillTopicRequest);
        else AskToConnect(null);
    }

    public SensorState State { get; private set; }

    /// <summary>For the sensor, in order.</summary>
    public Queue<SensorPacket> Outbox { get; } = new();

    /// <summary>
    /// For the session, in order: CONNECT first, to be answered with <see cref="Accept"/> or <see cref="Refuse"/>; a DISCONNECT is the last.
    /// </summary>
    public Queue<Packet> Requests { get; } = new();

    public SensorTopics Topics { get; private set; }

    public bool IsClean => _connect.CleanSession;

    /// <summary>As it calls itself.</summary>
    public string Name => _connect.Text;

    /// <summary>It wants the will it had, if any (MQTT-SN 1.2 section 6.3).</summary>
    public bool KeepsWill => !_connect.HasWill && !_connect.CleanSession;

    public TimeSpan KeepAlive => TimeSpan.FromSeconds(_connect.Duration);

    /// <summary>Until then what it publishes is refused, because its user may not publish that often.</summary>
    public TimeSpan CongestedUntil { get; set; }

    /// <summary>Messages that had no place where they came.</summary>
    public int Unexpected { get; private set; }

    private bool IsConnected => State is SensorState.Active or SensorState.Asleep or SensorState.Awake;

    /// <summary>The session is there; the next packets of it follow.</summary>
    /// <param name="topics">Those of the connection it goes on from; null: none.</param>
    public void Accept(SensorTopics? topics, TimeSpan now)
    {
        if (topics is not null) Topics = topics;
        State = SensorState.Active;
        _heardAt = now;
        Outbox.Enqueue(new SensorPacket(SensorPacketType.ConnAck));
    }

    public void Refuse(SensorReturnCode code)
    {
        State = SensorState.Gone;
        Outbox.Enqueue(new SensorPacket(SensorPacketType.ConnAck) { ReturnCode = code });
    }

    /// <summary>The broker ends it.</summary>
    public void End(bool isTold)
    {
        if (State == SensorState.Gone) return;
        if (isTold) Send(SensorPacketType.Disconnect);
        State = SensorState.Gone;
        _delivery = null;
    }

    public void Handle(SensorPacket packet, TimeSpan now)
    {
        if (State == SensorState.Gone) return;
        if (State == SensorState.Connecting)
        {
            HandleWill(packet);
            return;
        }

        _heardAt = now;
        switch (packet.Type)
        {
            case SensorPacketType.Register: Register(packet); break;
            case SensorPacketType.RegAck: Registered(packet, now); break;
            case SensorPacketType.Publish: Publish(packet, now); break;
            case SensorPacketType.PubAck: Acknowledged(packet, now); break;
            case SensorPacketType.PubRec: Received(packet); break;
            case SensorPacketType.PubRel: Requests.Enqueue(new AckPacket(PacketType.PubRel) { PacketId = packet.MessageId }); break;
            case SensorPacketType.PubComp: Completed(packet); break;
            case SensorPacketType.Subscribe: Subscribe(packet); break;
            case SensorPacketType.Unsubscribe: Unsubscribe(packet); break;
            case SensorPacketType.PingReq: Ping(packet, now); break;
            case SensorPacketType.PingResp: break;
            case SensorPacketType.Disconnect: Leave(packet); break;
            default: Unexpected++; break;
        }
    }

    /// <summary>To be called about once a second.</summary>
    public void Advance(TimeSpan now)
    {
        switch (State)
        {
            case SensorState.Connecting when now - _heardAt > _options.ConnectTimeout: State = SensorState.Gone; break;
            case SensorState.Active or SensorState.Asleep or SensorState.Awake when now - _heardAt > SilenceMax: Lose(); break;
            case SensorState.Active or SensorState.Awake when _delivery?.RepeatAt <= now: Repeat(_delivery, now); break;
        }
    }

    /// <summary>After the session gave what it had: an awake sensor that has it all sleeps again.</summary>
    public void Rest(TimeSpan now)
    {
        if (State != SensorState.Awake || _delivery is not null) return;
        State = SensorState.Asleep;
        _heardAt = now;
        Send(SensorPacketType.PingResp);
    }

    private TimeSpan SilenceMax
    {
        get
        {
            var agreed = State == SensorState.Active ? KeepAlive : _sleep;
            return agreed == TimeSpan.Zero ? _options.SilenceMax : SilenceFactor * agreed;
        }
    }

    private void HandleWill(SensorPacket packet)
    {
        switch (packet.Type)
        {
            // None after all.
            case SensorPacketType.WillTopic when !_hasAsked && packet.Text.Length == 0: AskToConnect(null); break;
            case SensorPacketType.WillTopic when !_hasAsked && !TopicName.IsValid(packet.Text): Refuse(SensorReturnCode.NotSupported); break;
            case SensorPacketType.WillTopic when !_hasAsked:
                _willTopic = packet;
                Send(SensorPacketType.WillMessageRequest);
                break;
            case SensorPacketType.WillMessage when !_hasAsked && _willTopic is { } topic: AskToConnect(WillOf(topic, packet.Data)); break;
            default: Unexpected++; break;
        }
    }

    public static LastWill WillOf(SensorPacket topic, ReadOnlyMemory<byte> payload) =>
        new(new MqttMessage { Topic = topic.Text, Payload = payload, QoS = topic.QoS, Retain = topic.Retain });

    private void AskToConnect(LastWill? will)
    {
        _hasAsked = true;
        Requests.Enqueue(new ConnectPacket
        {
            Version = ProtocolVersion.V5, ClientId = Name, CleanStart = IsClean, KeepAliveSeconds = _connect.Duration, Will = will,
            Properties = new PacketProperties { SessionExpirySeconds = IsClean ? 0 : (uint)_options.SessionExpiryMax.TotalSeconds },
        });
    }

    private void Subscribe(SensorPacket packet)
    {
        var filter = packet.TopicIdType == TopicIdType.Normal ? packet.Text : Topics.NameOf(packet.TopicIdType, packet.TopicId);
        if (filter is null)
        {
            Outbox.Enqueue(new SensorPacket(SensorPacketType.SubAck) { MessageId = packet.MessageId, ReturnCode = SensorReturnCode.InvalidTopicId });
            return;
        }

        _subscribing = packet;
        Requests.Enqueue(new SubscribePacket
        {
            PacketId = packet.MessageId, Entries = [new SubscribeEntry(filter, new SubscriptionOptions(packet.QoS))],
        });
    }

    private void Unsubscribe(SensorPacket packet)
    {
        var filter = packet.TopicIdType == TopicIdType.Normal ? packet.Text : Topics.NameOf(packet.TopicIdType, packet.TopicId);
        // There is no way to refuse: what is subscribed to under no name is not subscribed to.
        if (filter is null) Outbox.Enqueue(new SensorPacket(SensorPacketType.UnsubAck) { MessageId = packet.MessageId });
        else Requests.Enqueue(new UnsubscribePacket { PacketId = packet.MessageId, Filters = [filter] });
    }

    private void Ping(SensorPacket packet, TimeSpan now)
    {
        // Only with its name does it ask for what waits (section 6.14).
        if (State == SensorState.Active || packet.Text.Length == 0) Send(SensorPacketType.PingResp);
        else if (packet.Text != Name) Unexpected++;
        else if (State == SensorState.Asleep) Wake(now);
    }

    private void Leave(SensorPacket packet)
    {
        Send(SensorPacketType.Disconnect);
        if (packet.Duration > 0)
        {
            _sleep = TimeSpan.FromSeconds(packet.Duration);
            State = SensorState.Asleep;
            return;
        }

        State = SensorState.Gone;
        _delivery = null;
        Requests.Enqueue(new ReasonPacket(PacketType.Disconnect) { Reason = ReasonCode.Success });
    }

    /// <summary>It is silent: its will goes out, and should it hear still, it knows that it has to connect.</summary>
    private void Lose()
    {
        Send(SensorPacketType.Disconnect);
        State = SensorState.Gone;
        _delivery = null;
        Requests.Enqueue(new ReasonPacket(PacketType.Disconnect) { Reason = ReasonCode.KeepAliveTimeout });
    }

    private void Send(SensorPacketType type) => Outbox.Enqueue(new SensorPacket(type));
}
