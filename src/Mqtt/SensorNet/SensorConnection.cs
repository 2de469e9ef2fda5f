using System.Net;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Mqtt.Transport;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <summary>
/// Between a sensor's <see cref="SensorClient"/> and its session in the broker, for as long as one CONNECT holds. What a sensor is told because of a
/// change that is kept waits until that is on disk, as it does for every client. Inside turns, but for what is sent.
/// </summary>
internal sealed class SensorConnection : IClientConnection, ICommitWaiter
{
    private readonly SensorGateway _gateway;
    private readonly BrokerCore _core;
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _unsent = new();
    private readonly CommitMarks _marks = new();
    private PacketDispatch? _dispatch;

    public SensorConnection(SensorGateway gateway, SensorListener listener, IPEndPoint address, SensorClient client, Turn turn)
    {
        _gateway = gateway;
        _core = gateway.Broker.Core;
        Listener = listener;
        Address = address;
        Client = client;
        ConnectedAt = turn.Now;
    }

    public SensorListener Listener { get; }

    public IPEndPoint Address { get; }

    public SensorClient Client { get; }

    public MqttBroker Broker => _gateway.Broker;

    public TransportKind Transport => TransportKind.SensorNet;

    public TimeSpan ConnectedAt { get; }

    public TimeSpan? KeepAlive => _dispatch?.KeepAlive;

    public ReasonCode? Aborted { get; private set; }

    /// <summary>Its session; null before there is one.</summary>
    public Session? Session => _dispatch?.Session;

    public bool TakesReasonStrings => false;

    public int PendingBytes => 0;

    /// <summary>More than any limit while the session has to wait with what it has.</summary>
    public int UnsentBytes => Client.CanTake ? 0 : int.MaxValue;

    public bool NotifyWhenSent() => !Client.CanTake;

    /// <summary>The sensor said something.</summary>
    public void Handle(SensorPacket packet, Turn turn)
    {
        var unexpected = Client.Unexpected;
        if (packet.Type is SensorPacketType.WillTopicUpdate or SensorPacketType.WillMessageUpdate && Session is { } session) UpdateWill(packet, session);
        else Client.Handle(packet, turn.Now);
        if (Client.Unexpected > unexpected) _core.Counters.CountBadDatagram();
        // What goes to the session is counted there.
        else if (Client.Requests.Count == 0) _core.Counters.PacketsIn++;
        Run(turn);
    }

    public void Advance(Turn turn)
    {
        Client.Advance(turn.Now);
        Run(turn);
    }

    /// <summary>Gives the session what the sensor asks for, and the sensor what the session has.</summary>
    public void Run(Turn turn)
    {
        while (Client.Requests.TryDequeue(out var request)) Apply(request, turn);
        // PUBACK and the like made room for more.
        if (_dispatch is { } dispatch && ReferenceEquals(dispatch.Session.Link, dispatch.Link)) dispatch.Session.Pump(turn.Now, turn.Settled);
        Client.Rest(turn.Now);
        Collect();
        if (Client.State == SensorState.Gone) _gateway.Remove(this);
    }

    /// <summary>The session is the sensor's: what it has follows the CONNACK.</summary>
    public void Open(ConnectedSession connected, ClientInfo client, ConnectPacket connect, SensorTopics? topics, Turn turn)
    {
        // One message at a time is what a sensor has memory for.
        var link = new SessionLink(this, connect.Version) { ReceiveMaximum = 1 };
        _dispatch = new PacketDispatch(this, connected.Session, link, connect, attempt: null);
        Client.Accept(topics, turn.Now);
        Collect();
        _core.Attach(connected, client, link, turn);
        Wait(turn.Now);
    }

    public void Write(Packet packet) => TryWrite(packet);

    public bool TryWrite(Packet packet)
    {
        if (packet is SubAckPacket ack) Client.Subscribed(ack);
        else if (packet.Type == PacketType.Disconnect) Client.End(isTold: true);
        Collect();
        return true;
    }

    public void WriteAck(PacketType type, ushort packetId, ReasonCode reason)
    {
        Client.Acknowledge(type, packetId, reason, _core.Current!.Now);
        Collect();
    }

    public bool TryWritePublish(in OutgoingPublish publish, uint packetBytesMax)
    {
        if (!Client.Deliver(publish, _core.Current!.Now)) return false;
        _core.Counters.PayloadBytesOut += publish.Message.Payload.Length;
        Collect();
        return true;
    }

    public void AwaitCommit()
    {
        Collect();
        _core.Journal?.Hold(this);
    }

    public bool HoldUntil(long commit)
    {
        lock (_gate) return _marks.Add(commit, _unsent.Count);
    }

    public void Committed(long commit)
    {
        lock (_gate) _marks.Drop(commit);
        Flush();
    }

    public void Flush()
    {
        lock (_gate)
        {
            var free = _marks.Free(_unsent.Count);
            for (var i = 0; i < free; i++) Listener.Send(_unsent.Dequeue(), Address);
            _marks.Shift(free);
        }
    }

    public void Abort(ReasonCode reason, PacketProperties? explanation = null)
    {
        if (Aborted is not null) return;
        Aborted = reason;
        // Who took over may be the sensor itself, at this address.
        Client.End(isTold: reason != ReasonCode.SessionTakenOver);
        Collect();
        _core.Current!.Call(() =>
        {
            using var turn = _core.Enter();
            Leave(reason, turn);
            _gateway.Remove(this);
        });
    }

    private void Apply(Packet request, Turn turn)
    {
        if (request is ConnectPacket connect)
        {
            _gateway.Open(this, connect, turn);
            return;
        }

        if (request is ReasonPacket leaving)
        {
            Leave(leaving.Reason, turn);
            return;
        }

        if (_dispatch is not { Ended: null } dispatch) return;
        var arrivals = PacketDispatch.Rent();
        var failure = dispatch.Prepare(request, arrivals);
        dispatch.Run(arrivals, failure);
        Wait(turn.Now);
        if (dispatch.Ended is not { } ended) return;
        Client.End(isTold: true);
        Leave(Aborted ?? ended, turn);
    }

    /// <summary>A quota has a rate, or memory is short: what is published meanwhile is refused.</summary>
    private void Wait(TimeSpan now)
    {
        if (_dispatch!.TakePause() is { } pause) Client.CongestedUntil = now + pause;
    }

    private void Leave(ReasonCode reason, Turn turn)
    {
        if (_dispatch is { } dispatch) _core.Disconnect(dispatch.Session, dispatch.Link, reason, turn);
    }

    /// <summary>WILLTOPICUPD and WILLMSGUPD (MQTT-SN 1.2 section 6.4).</summary>
    private void UpdateWill(SensorPacket packet, Session session)
    {
        var will = session.Will;
        LastWill? changed;
        if (packet.Type == SensorPacketType.WillMessageUpdate) changed = will is null ? null : will with { Message = will.Message with { Payload = packet.Data } };
        else changed = packet.Text.Length == 0 ? null : SensorClient.WillOf(packet, will?.Message.Payload ?? default);
        var isRefused = changed is null
            ? packet.Type == SensorPacketType.WillMessageUpdate
            : !TopicName.IsValid(changed.Message.Topic) || !_gateway.MayPublish(session.Client.Principal, changed.Message);
        if (!isRefused)
        {
            session.Will = changed;
            if (changed is null) session.Journal?.WillCleared();
            else session.Journal?.Opened(session, session.Client);
        }

        var answer = packet.Type == SensorPacketType.WillMessageUpdate ? SensorPacketType.WillMessageResponse : SensorPacketType.WillTopicResponse;
        Client.Outbox.Enqueue(new SensorPacket(answer) { ReturnCode = isRefused ? SensorReturnCode.NotSupported : SensorReturnCode.Accepted });
    }

    /// <summary>What the sensor is to be told, behind what it was told before.</summary>
    private void Collect()
    {
        if (Client.Outbox.Count == 0) return;
        var turn = _core.Current!;
        if (turn.Appended) _core.Journal?.Hold(this);
        lock (_gate)
        {
            while (Client.Outbox.TryDequeue(out var packet))
            {
                _core.Counters.PacketsOut++;
                _unsent.Enqueue(SensorCodec.Write(packet));
            }
        }

        turn.Touch(this);
    }
}
