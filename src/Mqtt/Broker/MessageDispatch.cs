using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What PUBLISH and its acknowledgements from one connection do to its session. Runs inside a <see cref="Turn"/>.</summary>
internal sealed class MessageDispatch(BrokerCore core, BrokerOptions options, Session session, SessionLink link)
{
    /// <summary>One that its tap did not make use of.</summary>
    private PublishHold? _spareHold;

    /// <summary>Routes a message and acknowledges it. The result says why the connection must end, Success that it goes on.</summary>
    /// <param name="verdict">Whether its publisher may publish it.</param>
    public ReasonCode Apply(PublishPacket publish, ReasonCode verdict, ClientInfo publisher, Turn turn)
    {
        var message = publish.Message;
        var admission = session.Inbound.Admit(publish.PacketId, message.QoS, link.Version == ProtocolVersion.V5 ? null : ushort.MaxValue);
        switch (admission)
        {
            case Admission.TooMany:
                core.Counters.Hit(BrokerLimit.Receive);
                return ReasonCode.ReceiveMaximumExceeded;
            case Admission.Duplicate:
                session.Inbound.Repeat(publish.PacketId, link);
                return ReasonCode.Success;
        }

        if (verdict == ReasonCode.Success && message.Retain && !core.Router.Retained.HasRoomFor(message))
        {
            core.Counters.Hit(BrokerLimit.Retained);
            verdict = ReasonCode.QuotaExceeded;
        }

        if (verdict == ReasonCode.Success && message.Retain && core.Router.Retained.FullFor(message, publisher.Principal.AccountArray) is { } full)
        {
            full.Meet(QuotaKind.Retained);
            verdict = ReasonCode.QuotaExceeded;
        }

        if (verdict != ReasonCode.Success)
        {
            MqttLog.PublishRefused(options.Logger, publisher.ClientId, message.Topic, verdict);
            core.Counters.MessagesDropped++;
            session.Inbound.Acknowledge(publish.PacketId, message.QoS, ForVersion(verdict), link);
            return ReasonCode.Success;
        }

        if (options.Identity is { } self && message.UserProperties.Count > 0 && BridgeMark.IsOn(message, self))
        {
            // It has been here, and comes back over other brokers.
            core.Counters.MessagesDropped++;
            session.Inbound.Acknowledge(publish.PacketId, message.QoS, ReasonCode.Success, link);
            return ReasonCode.Success;
        }

        if (admission == Admission.Accepted && core.Journal is { IsFull: true } && core.Router.NeedsDisk(message))
        {
            core.Counters.Hit(BrokerLimit.Disk);
            return Refuse(publish);
        }

        if (admission == Admission.Accepted && message.QoS != QoS.AtMostOnce && core.Router.WouldOverflow(message))
        {
            core.Counters.Hit(BrokerLimit.HeldBytes);
            return Refuse(publish);
        }

        return Route(publish, admission, publisher, turn);
    }

    public void Apply(AckPacket ack, Turn turn)
    {
        var outbound = session.Outbound;
        switch (ack.Type)
        {
            case PacketType.PubAck:
                outbound.Acknowledge(ack.PacketId, QoS.AtLeastOnce, ack.Reason, turn.Settled);
                break;
            case PacketType.PubRec when !outbound.Receive(ack.PacketId, ack.Reason, link, turn.Settled) && !ack.Reason.IsFailure():
                link.Output.WriteAck(PacketType.PubRel, ack.PacketId, ReasonCode.PacketIdentifierNotFound);
                break;
            case PacketType.PubRel:
                var released = session.Inbound.Release(ack.PacketId);
                // Its PUBCOMP was lost with the connection or the broker: no error then (MQTT 5 section 3.7.2.1), but some clients take it for one.
                if (link.Resumed) released = ReasonCode.Success;
                // Also when the id was released before: that may not be on disk yet.
                if (session.Journal is not null) link.Output.AwaitCommit();
                link.Output.WriteAck(PacketType.PubComp, ack.PacketId, released);
                break;
            case PacketType.PubComp:
                outbound.Acknowledge(ack.PacketId, QoS.ExactlyOnce, ReasonCode.Success, turn.Settled);
                break;
        }
    }

    /// <summary>Shows it to the tap, routes it unless the tap took it, and acknowledges it unless that is held back.</summary>
    private ReasonCode Route(PublishPacket publish, Admission admission, ClientInfo publisher, Turn turn)
    {
        var message = publish.Message;
        var hold = PublishHold.None;
        var taken = TapVerdict.Route;
        if (options.Tap is { } tap)
        {
            if (message.QoS != QoS.AtMostOnce) hold = _spareHold ?? new PublishHold(core, session);
            _spareHold = null;
            turn.Suspend();
            taken = tap.OnPublish(publisher, message, hold);
            turn.Enter();
            hold.Change?.Invoke();
            if (message.QoS != QoS.AtMostOnce && !hold.IsDeferred && hold.Change is null) _spareHold = hold;
        }

        var receivers = 1;
        if (taken == TapVerdict.Refused) return ReferenceEquals(session.Link, link) ? Refuse(publish) : ReasonCode.Success;
        if (admission == Admission.Routed) taken = TapVerdict.Taken;
        if (taken == TapVerdict.Route) receivers = core.Router.Route(message, session, turn);
        else core.Counters.CountIn(message);
        if (message.QoS == QoS.AtMostOnce) return ReasonCode.Success;
        var isRouted = taken == TapVerdict.Route || admission == Admission.Routed;
        if (!ReferenceEquals(session.Link, link))
        {
            if (isRouted && message.QoS == QoS.ExactlyOnce) session.Inbound.Take(publish.PacketId);
            return ReasonCode.Success;
        }

        if (isRouted && hold.IsDeferred && message.QoS == QoS.ExactlyOnce)
        {
            if (hold.IsKept) session.Journal?.InboundTaken(publish.PacketId);
            else session.Journal?.InboundRouted(publish.PacketId);
        }

        var reason = receivers == 0 && !hold.IsKept ? ForVersion(ReasonCode.NoMatchingSubscribers) : ReasonCode.Success;
        BrokerCore.Settle(hold, publish, session, link, reason);
        if (isRouted && hold.Pending is { } pending) (pending.Routed, pending.Kept) = (true, hold.IsKept);
        return ReasonCode.Success;
    }

    /// <summary>Disk or memory is full, or its share used up: nothing is promised. MQTT 3.1.1 cannot say so, and its client repeats on another connection.</summary>
    private ReasonCode Refuse(PublishPacket publish)
    {
        core.Counters.MessagesDropped++;
        if (publish.Message.QoS == QoS.AtMostOnce) return ReasonCode.Success;
        if (link.Version == ProtocolVersion.V5)
        {
            session.Inbound.Acknowledge(publish.PacketId, publish.Message.QoS, ReasonCode.QuotaExceeded, link);
            return ReasonCode.Success;
        }

        if (publish.Message.QoS == QoS.ExactlyOnce) session.Inbound.Release(publish.PacketId);
        return ReasonCode.QuotaExceeded;
    }

    /// <summary>MQTT 3.1.1 has one answer; it does not tell refusals apart (its section 3.3.5).</summary>
    private ReasonCode ForVersion(ReasonCode reason) => link.Version == ProtocolVersion.V5 ? reason : ReasonCode.Success;
}
