using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Sessions;

internal enum Admission
{
    Accepted,

    /// <summary>A QoS 2 message seen before: acknowledge, do not process [MQTT-4.3.3-10].</summary>
    Duplicate,

    /// <summary>It was routed before the broker restarted, but its tap had not let the acknowledgement go: show it to the tap, do not route it.</summary>
    Routed,

    /// <summary>The client ignores the receive maximum it was told.</summary>
    TooMany,
}

/// <summary>
/// The receiving half of a session: which QoS 2 packet ids are taken, and in what order acknowledgements go out. An acknowledgement
/// may be deferred; those behind it then wait for it [MQTT-4.6.0-2, MQTT-4.6.0-3].
/// </summary>
internal sealed class Inbound(BrokerLimits limits)
{
    private static readonly InboundMessage RoutedBefore = new(0, QoS.ExactlyOnce) { Routed = true };
    private static readonly InboundMessage Admitted = new(0, QoS.ExactlyOnce);

    /// <summary>QoS 2 ids between PUBLISH and PUBREL. The value is null once PUBREC was written, and a marker before it is known when that will be.</summary>
    private Dictionary<ushort, InboundMessage?>? _exactlyOnce;

    private Queue<InboundMessage>? _pubAcks;
    private Queue<InboundMessage>? _pubRecs;

    /// <summary>Told which QoS 2 ids are taken; null when the session is not kept across restarts.</summary>
    public SessionJournal? Journal { get; set; }

    public int Unacknowledged => (_pubAcks?.Count ?? 0) + (_exactlyOnce?.Count ?? 0);

    /// <param name="receiveMax">Instead of the limit, for MQTT 3.1.1, which has no way to announce one.</param>
    public Admission Admit(ushort packetId, QoS qos, int? receiveMax = null)
    {
        if (qos == QoS.AtMostOnce) return Admission.Accepted;
        if (qos == QoS.ExactlyOnce && _exactlyOnce is not null && _exactlyOnce.TryGetValue(packetId, out var known))
        {
            if (!ReferenceEquals(known, RoutedBefore)) return Admission.Duplicate;
            _exactlyOnce[packetId] = Admitted;
            return Admission.Routed;
        }

        if (Unacknowledged >= (receiveMax ?? limits.ReceiveMax)) return Admission.TooMany;
        if (qos == QoS.ExactlyOnce) (_exactlyOnce ??= new Dictionary<ushort, InboundMessage?>()).Add(packetId, Admitted);
        return Admission.Accepted;
    }

    /// <summary>Acknowledges an admitted message, now or as soon as those before it are.</summary>
    public void Acknowledge(ushort packetId, QoS qos, ReasonCode reason, SessionLink link)
    {
        if (qos == QoS.AtMostOnce) return;
        if (OrderOf(qos) is { Count: > 0 })
        {
            Enqueue(new InboundMessage(packetId, qos) { Ready = true, Reason = reason });
            return;
        }

        WriteAck(packetId, qos, reason, link);
    }

    /// <summary>Admits and acknowledges a message that is not processed.</summary>
    public void Acknowledge(PublishPacket publish, SessionLink link)
    {
        switch (Admit(publish.PacketId, publish.Message.QoS, ushort.MaxValue))
        {
            case Admission.Duplicate: Repeat(publish.PacketId, link); break;
            case Admission.TooMany: break;
            default: Acknowledge(publish.PacketId, publish.Message.QoS, ReasonCode.Success, link); break;
        }
    }

    /// <summary>Keeps the acknowledgement back until <see cref="Complete"/>.</summary>
    public InboundMessage Defer(ushort packetId, QoS qos)
    {
        var message = new InboundMessage(packetId, qos);
        if (qos == QoS.ExactlyOnce) _exactlyOnce![packetId] = message;
        Enqueue(message);
        return message;
    }

    /// <param name="link">Null while the client is away; a QoS 2 sender repeats and is answered then.</param>
    public void Complete(InboundMessage message, ReasonCode reason, SessionLink? link)
    {
        message.Ready = true;
        message.Reason = reason;
        if (link is not null && message.Queued) Drain(message.QoS, link);
        else if (message.QoS == QoS.ExactlyOnce && reason.IsFailure()) Release(message.PacketId);
    }

    /// <summary>Answers a repeated QoS 2 PUBLISH.</summary>
    public void Repeat(ushort packetId, SessionLink link)
    {
        if (_exactlyOnce![packetId] is not { } deferred || ReferenceEquals(deferred, Admitted))
        {
            Acknowledge(packetId, QoS.ExactlyOnce, ReasonCode.Success, link);
        }
        else if (!deferred.Queued)
        {
            Enqueue(deferred);
            Drain(QoS.ExactlyOnce, link);
        }
    }

    /// <summary>The message was routed, and its acknowledgement is lost with the connection: a repetition is answered at once.</summary>
    public void Take(ushort packetId)
    {
        if (_exactlyOnce is null || !_exactlyOnce.ContainsKey(packetId)) return;
        _exactlyOnce[packetId] = null;
        Journal?.InboundTaken(packetId);
    }

    /// <summary>PUBREL: the id is free again.</summary>
    public ReasonCode Release(ushort packetId)
    {
        if (_exactlyOnce is null || !_exactlyOnce.Remove(packetId)) return ReasonCode.PacketIdentifierNotFound;
        Journal?.InboundReleased(packetId);
        return ReasonCode.Success;
    }

    /// <summary>The peer has forgotten the session, and with it what its ids meant.</summary>
    public void Clear()
    {
        foreach (var packetId in _exactlyOnce?.Keys ?? Enumerable.Empty<ushort>()) Journal?.InboundReleased(packetId);
        _exactlyOnce = null;
        Detach();
    }

    /// <summary>Takes up an id the journal kept.</summary>
    /// <param name="routed">See <see cref="Admission.Routed"/>.</param>
    public void Restore(ushort packetId, bool routed) =>
        (_exactlyOnce ??= new Dictionary<ushort, InboundMessage?>())[packetId] = routed ? RoutedBefore : null;

    /// <summary>Appends the ids whose PUBREC has been promised, and those only routed.</summary>
    public void CaptureTo(List<JournalEntry> entries, uint session)
    {
        if (_exactlyOnce is null) return;
        foreach (var (packetId, message) in _exactlyOnce)
        {
            if (message is { Routed: false }) continue;
            entries.Add(new(message is null or { Kept: true } ? EntryKind.InboundTaken : EntryKind.InboundRouted, session, packetId, null));
        }
    }

    /// <summary>The connection is gone, and with it the order; QoS 2 ids stay taken.</summary>
    public void Detach()
    {
        foreach (var message in _pubRecs ?? []) message.Queued = false;
        foreach (var message in _pubAcks ?? []) message.Queued = false;
        _pubAcks = null;
        _pubRecs = null;
    }

    private Queue<InboundMessage>? OrderOf(QoS qos) => qos == QoS.AtLeastOnce ? _pubAcks : _pubRecs;

    private void Enqueue(InboundMessage message)
    {
        var order = message.QoS == QoS.AtLeastOnce ? _pubAcks ??= new() : _pubRecs ??= new();
        message.Queued = true;
        order.Enqueue(message);
    }

    private void Drain(QoS qos, SessionLink link)
    {
        var order = OrderOf(qos);
        while (order is { Count: > 0 } && order.Peek().Ready)
        {
            var message = order.Dequeue();
            message.Queued = false;
            if (message.QoS == QoS.ExactlyOnce) Forget(message);
            WriteAck(message.PacketId, message.QoS, message.Reason, link);
        }
    }

    /// <summary>The id stays taken until PUBREL, but a repetition is from now on answered at once.</summary>
    private void Forget(InboundMessage message)
    {
        if (_exactlyOnce is not null && _exactlyOnce.ContainsKey(message.PacketId)) _exactlyOnce[message.PacketId] = null;
    }

    private void WriteAck(ushort packetId, QoS qos, ReasonCode reason, SessionLink link)
    {
        // A refused QoS 2 message ends with its PUBREC [MQTT-4.3.3-9]. MQTT 3.1.1 has no refusal, so its id stays until PUBREL.
        if (qos == QoS.ExactlyOnce)
        {
            if (reason.IsFailure() && link.Version == ProtocolVersion.V5) Release(packetId);
            else Take(packetId);
        }

        link.Output.WriteAck(qos == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, packetId, reason);
    }
}
