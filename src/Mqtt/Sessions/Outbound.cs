using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>
/// The sending half of a session: a bounded queue, the window of unacknowledged messages, and what is repeated after a reconnect.
/// Decides when which PUBLISH or PUBREL is written; never reads a clock and never blocks.
/// </summary>
/// <param name="packetIdMax">Ids above it are left to the caller.</param>
internal sealed partial class Outbound(BrokerLimits limits, BrokerCounters counters, ushort packetIdMax = ushort.MaxValue)
{
    /// <summary>A window of this size is kept when it empties; a larger one was a burst.</summary>
    private const int KeptCapacity = 16;

    private BrokerLimits _limits = limits;
    private WaitingQueue? _waiting;
    private Queue<OutboundMessage>? _resend;
    private Dictionary<ushort, OutboundMessage>? _inFlight;
    private long _waitingBytes;
    private long _inFlightBytes;
    private long _nextSequence;
    private int _onWire;
    private ushort _lastId;

    /// <summary>Told of every step; null when the session is not kept across restarts.</summary>
    public SessionJournal? Journal { get; set; }

    /// <summary>Null but for a bridge.</summary>
    public IQueuePolicy? Policy { get; private set; }

    public int QueuedMessages => _waiting?.Count ?? 0;

    public long QueuedBytes => _waitingBytes;

    public int InFlight => _inFlight?.Count ?? 0;

    /// <summary>QoS 0, without an object for it: sent now or dropped.</summary>
    public bool TrySendNow(in OutgoingPublish publish, SessionLink? link)
    {
        var isSlow = link is not null && link.Output.UnsentBytes >= QoS0BytesMax;
        if (link is not null && !isSlow && link.TryPublish(publish))
        {
            counters.MessagesOut++;
            return true;
        }

        if (isSlow) counters.Hit(BrokerLimit.OutboundBytes);
        counters.MessagesDropped++;
        return false;
    }

    /// <summary>Sends, queues or drops a message. QoS 0 waits for a full connection, but not for an absent one.</summary>
    /// <param name="link">Null while the client is away.</param>
    public void Deliver(OutboundMessage message, SessionLink? link, TimeSpan now, List<Settlement> settled)
    {
        if (Policy is { } policy && !policy.Wants(message.Message)) return;
        if (Journal is { } journal && message.QoS != QoS.AtMostOnce && !message.KeptBySender) journal.Queued(message, now);
        if (link is not null && QueuedMessages == 0 && _resend is not { Count: > 0 } && MaySend(message, link))
        {
            Send(message, link, now, settled);
        }
        else if (link is null && message.QoS == QoS.AtMostOnce && Policy is not { KeepsQoS0: true })
        {
            Drop(message, DropCause.Away, settled);
        }
        else
        {
            message.WaitingSince = now;
            Enqueue(message, settled);
        }
    }

    /// <summary>Sends what waits, as far as the window and the connection's buffer go.</summary>
    public void Pump(SessionLink link, TimeSpan now, List<Settlement> settled)
    {
        while (_resend is { Count: > 0 } resend)
        {
            // The receive maximum holds back PUBLISH only [MQTT-3.3.4-8, MQTT-3.3.4-10].
            if (!(resend.Peek().Released || HasWindow(link)) || !HasRoom(link)) return;
            Resend(resend.Dequeue(), link, now, settled);
        }

        while (_waiting is { Count: > 0 } waiting && MaySend(waiting.Peek(), link))
        {
            var message = waiting.Dequeue();
            CountWaiting(message, -1);
            if (message.IsExpired(now)) Drop(message, DropCause.Expired, settled);
            else Send(message, link, now, settled);
        }

        if (_waiting is { Count: 0 }) _waiting = null;
    }

    /// <summary>
    /// A new connection: everything unacknowledged is repeated [MQTT-4.4.0-1], PUBREL first because no window holds it back, each kind in
    /// its first order [MQTT-4.6.0-1, MQTT-4.6.0-4].
    /// </summary>
    public void Attach(SessionLink link, TimeSpan now, List<Settlement> settled)
    {
        _onWire = 0;
        _resend = null;
        if (_inFlight is { Count: > 0 })
        {
            foreach (var message in _inFlight.Values) message.OnWire = false;
            _resend = new Queue<OutboundMessage>(_inFlight.Values.OrderBy(message => !message.Released).ThenBy(message => message.Sequence));
        }

        Pump(link, now, settled);
    }

    /// <summary>
    /// Before <see cref="Attach"/>, when the peer has forgotten the session: what was in flight goes out as new, first of all, except what
    /// the peer has taken over already [MQTT-3.2.2-5].
    /// </summary>
    public void Restart(List<Settlement> settled)
    {
        if (_inFlight is null) return;
        var again = new WaitingQueue(Policy);
        foreach (var message in _inFlight.Values.OrderBy(message => message.Sequence))
        {
            if (message.Released)
            {
                Settle(message, DeliveryOutcome.Acknowledged, settled);
                continue;
            }

            message.PacketId = 0;
            message.OnWire = false;
            Journal?.Unsent(message);
            CountWaiting(message, 1);
            again.Enqueue(message);
        }

        foreach (var message in Waiting) again.Enqueue(message);
        _waiting = again;
        _inFlight = null;
        _inFlightBytes = 0;
        _resend = null;
    }

    /// <summary>PUBACK, or PUBCOMP. False: the client acknowledges what was not sent.</summary>
    public bool Acknowledge(ushort packetId, QoS qos, ReasonCode reason, List<Settlement> settled)
    {
        if (_inFlight is null || !_inFlight.TryGetValue(packetId, out var message) || message.QoS != qos) return false;
        message.Reason = reason;
        Finish(message, reason.IsFailure() ? DeliveryOutcome.Refused : DeliveryOutcome.Acknowledged, settled);
        return true;
    }

    /// <summary>PUBREC: releases the message or, with a failure, ends it [MQTT-4.3.3-4]. False: unknown packet id.</summary>
    public bool Receive(ushort packetId, ReasonCode reason, SessionLink link, List<Settlement> settled)
    {
        if (_inFlight is null || !_inFlight.TryGetValue(packetId, out var message) || message.QoS != QoS.ExactlyOnce) return false;
        if (reason.IsFailure())
        {
            message.Reason = reason;
            Finish(message, DeliveryOutcome.Refused, settled);
            return true;
        }

        if (!message.Released)
        {
            Journal?.Released(message);
            message.Released = true;
            message.Sequence = ++_nextSequence;
        }

        if (message.Delivery is not null) link.Output.AwaitCommit();
        link.Output.WriteAck(PacketType.PubRel, packetId, ReasonCode.Success);
        return true;
    }

    /// <summary>Drops what waits and is not to be sent.</summary>
    public void Discard(Predicate<MqttMessage> unwanted, List<Settlement> settled)
    {
        for (var left = QueuedMessages; left > 0; left--)
        {
            var message = _waiting!.Dequeue();
            if (!unwanted(message.Message))
            {
                _waiting.Enqueue(message);
                continue;
            }

            CountWaiting(message, -1);
            Drop(message, DropCause.None, settled);
        }
    }

    /// <summary>Puts the queue, with what is in it, under other limits and a policy.</summary>
    public void Govern(BrokerLimits limits, IQueuePolicy policy)
    {
        _limits = limits;
        Policy = policy;
        if (_waiting is null) return;
        var waiting = Waiting.ToArray();
        _waiting = new WaitingQueue(policy);
        foreach (var message in waiting) _waiting.Enqueue(message);
    }

    /// <summary>Drops what has waited too long under the policy.</summary>
    public void DropOld(TimeSpan now, List<Settlement> settled)
    {
        if (Policy is not { } policy || policy.AgeMax == TimeSpan.Zero) return;
        while (_waiting?.DropOlder(now - policy.AgeMax) is { } message)
        {
            CountWaiting(message, -1);
            Drop(message, DropCause.TooOld, settled);
        }
    }

    /// <summary>What another member of its group may have when this session ends: not QoS 2 that was sent once [MQTT-4.8.2-5].</summary>
    public IReadOnlyList<OutboundMessage> Unfinished() =>
        [.. (_inFlight?.Values ?? Enumerable.Empty<OutboundMessage>())
            .Where(message => message.QoS == QoS.AtLeastOnce).OrderBy(message => message.Sequence)
            .Concat(Waiting).Where(message => message is { Group: not null, QoS: not QoS.AtMostOnce })];

    /// <summary>The session is over.</summary>
    public void End(List<Settlement> settled)
    {
        foreach (var message in _inFlight?.Values ?? Enumerable.Empty<OutboundMessage>()) Settle(message, DeliveryOutcome.SessionEnded, settled);
        foreach (var message in Waiting) Settle(message, DeliveryOutcome.SessionEnded, settled);
        CountNothingWaiting();
        _inFlight = null;
        _waiting = null;
        _resend = null;
        _inFlightBytes = 0;
    }

    private IEnumerable<OutboundMessage> Waiting => _waiting?.All ?? [];

    private void Enqueue(OutboundMessage message, List<Settlement> settled)
    {
        var bytes = message.Message.QueuedBytes;
        while (IsFullFor(bytes))
        {
            if (Policy is null || _waiting?.DropQoS0() is not { } lesser)
            {
                Drop(message, DropCause.QueueFull, settled);
                return;
            }

            CountWaiting(lesser, -1);
            Drop(lesser, DropCause.QueueFull, settled);
        }

        (_waiting ??= new WaitingQueue(Policy)).Enqueue(message);
        CountWaiting(message, 1);
        counters.MessagesQueued++;
        Keep(message);
    }

    private void Send(OutboundMessage message, SessionLink link, TimeSpan now, List<Settlement> settled)
    {
        if (message.QoS != QoS.AtMostOnce) TakeId(message, link);
        if (!link.TryPublish(ToPublish(message, now, duplicate: false)))
        {
            message.Reason = ReasonCode.PacketTooLarge;
            Drop(message, DropCause.TooLarge, settled);
            return;
        }

        counters.MessagesOut++;
        if (message.QoS == QoS.AtMostOnce)
        {
            Policy?.Ended(message, DeliveryOutcome.Acknowledged, DropCause.None);
            Settle(message, DeliveryOutcome.Acknowledged, settled);
            return;
        }

        message.Sequence = ++_nextSequence;
        message.OnWire = true;
        _onWire++;
        (_inFlight ??= new Dictionary<ushort, OutboundMessage>()).Add(message.PacketId, message);
        _inFlightBytes += message.Message.QueuedBytes;
        Keep(message);
    }

    private void Resend(OutboundMessage message, SessionLink link, TimeSpan now, List<Settlement> settled)
    {
        // Acknowledged from memory of the previous connection while it waited for its turn.
        if (_inFlight is null || !_inFlight.TryGetValue(message.PacketId, out var current) || !ReferenceEquals(current, message)) return;
        // Repeated under an id of which the disk may not know yet.
        if (message.Delivery is not null && message.QoS == QoS.ExactlyOnce) link.Output.AwaitCommit();
        if (message.Released)
        {
            link.Output.WriteAck(PacketType.PubRel, message.PacketId, ReasonCode.Success);
        }
        else if (!link.TryPublish(ToPublish(message, now, duplicate: true)))
        {
            counters.MessagesDropped++;
            message.Reason = ReasonCode.PacketTooLarge;
            Finish(message, DeliveryOutcome.Dropped, settled);
            return;
        }

        message.OnWire = true;
        _onWire++;
    }

    private static OutgoingPublish ToPublish(OutboundMessage message, TimeSpan now, bool duplicate) => new()
    {
        Message = message.Message,
        QoS = message.QoS,
        Retain = message.Retain,
        Duplicate = duplicate,
        PacketId = message.PacketId,
        Number = message.Delivery?.Id ?? 0,
        ExpirySeconds = message.SecondsLeft(now),
        SubscriptionIds = message.SubscriptionIds,
    };

    private void Finish(OutboundMessage message, DeliveryOutcome outcome, List<Settlement> settled)
    {
        _inFlight!.Remove(message.PacketId);
        _inFlightBytes -= message.Message.QueuedBytes;
        if (_inFlight.Count == 0 && _inFlight.Capacity > KeptCapacity) _inFlight = null;
        if (message.OnWire) _onWire--;
        var cause = outcome switch
        {
            DeliveryOutcome.Refused => DropCause.Refused,
            DeliveryOutcome.Dropped => DropCause.TooLarge,
            _ => DropCause.None,
        };
        Policy?.Ended(message, outcome, cause);
        Settle(message, outcome, settled);
    }

    private void Drop(OutboundMessage message, DropCause cause, List<Settlement> settled)
    {
        if (cause == DropCause.QueueFull) CountFull(message.Message.QueuedBytes);
        counters.MessagesDropped++;
        Policy?.Ended(message, DeliveryOutcome.Dropped, cause);
        Settle(message, DeliveryOutcome.Dropped, settled);
    }

    private void Settle(OutboundMessage message, DeliveryOutcome outcome, List<Settlement> settled)
    {
        if (message.IsKept) counters.KeptBytes -= message.Message.QueuedBytes;
        message.IsKept = false;
        if (message.Delivery is not null) Journal?.Settled(message);
        if (message.Settled is { } callback) settled.Add(new Settlement(callback, outcome));
    }

    /// <summary>A QoS 2 message must not be seen under an id that is forgotten in a crash: it would come again under another.</summary>
    private void TakeId(OutboundMessage message, SessionLink link)
    {
        message.PacketId = NextId();
        if (message.Delivery is null) return;
        Journal?.Sent(message);
        if (message.QoS == QoS.ExactlyOnce) link.Output.AwaitCommit();
    }

    private ushort NextId()
    {
        do _lastId = _lastId == packetIdMax ? (ushort)1 : (ushort)(_lastId + 1);
        while (_inFlight is not null && _inFlight.ContainsKey(_lastId));
        return _lastId;
    }
}
