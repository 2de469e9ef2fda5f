using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.SensorNet;

/// <content>Messages from the sensor and to it.</content>
internal sealed partial class SensorClient
{
    /// <summary>Of each message of QoS 1 and 2 that is not acknowledged yet, the topic id that its PUBACK names.</summary>
    private readonly Dictionary<ushort, SensorPacket> _receiving = [];

    /// <summary>The last one of QoS 1 that was.</summary>
    private SensorPacket? _answered;

    private SensorPacket? _subscribing;
    private SensorDelivery? _delivery;
    private ushort _lastMessageId;
    private int _awakeLeft;
    private long _awakeBytesLeft;

    /// <summary>The session may give it a message.</summary>
    public bool CanTake => _delivery is null && (State == SensorState.Active || (State == SensorState.Awake && _awakeLeft > 0 && _awakeBytesLeft > 0));

    /// <summary>Gives it a message, when it <see cref="CanTake"/>. False: it never can take this one.</summary>
    public bool Deliver(in OutgoingPublish publish, TimeSpan now)
    {
        var message = publish.Message;
        if (!CanTake || SensorCodec.PublishBytes(message.Payload.Length) > _options.PacketBytesMax) return false;
        if (Topics.Address(message.Topic) is not { } topic) return false;
        if (!topic.IsKnown && SensorCodec.RegisterBytes(message.Topic) > _options.PacketBytesMax) return false;
        _awakeLeft--;
        _awakeBytesLeft -= message.QueuedBytes;
        var delivery = new SensorDelivery(publish.PacketId, publish.QoS)
        {
            Stage = topic.IsKnown ? SensorPacketType.Publish : SensorPacketType.Register,
            Message = message,
            Retain = publish.Retain,
            Duplicate = publish.Duplicate,
            Topic = topic,
        };
        Begin(delivery, now);
        return true;
    }

    /// <summary>The session acknowledges what the sensor published, or releases what it was given.</summary>
    public void Acknowledge(PacketType type, ushort packetId, ReasonCode reason, TimeSpan now)
    {
        switch (type)
        {
            case PacketType.PubComp: Outbox.Enqueue(new SensorPacket(SensorPacketType.PubComp) { MessageId = packetId }); break;
            case PacketType.PubRel when reason.IsFailure(): Outbox.Enqueue(new SensorPacket(SensorPacketType.PubRel) { MessageId = packetId }); break;
            case PacketType.PubRel:
                if (_delivery?.PacketId != packetId) _delivery = new SensorDelivery(packetId, QoS.ExactlyOnce) { Stage = SensorPacketType.PubRel };
                _delivery.Stage = SensorPacketType.PubRel;
                _delivery.Repetitions = 0;
                Say(_delivery, now);
                break;
            default:
                _receiving.Remove(packetId, out var published);
                if (type == PacketType.PubRec && !reason.IsFailure()) Outbox.Enqueue(new SensorPacket(SensorPacketType.PubRec) { MessageId = packetId });
                else if (published is not null) Answer(published, CodeOf(reason));
                break;
        }
    }

    public void Subscribed(SubAckPacket ack)
    {
        if (ack.Type == PacketType.UnsubAck)
        {
            Outbox.Enqueue(new SensorPacket(SensorPacketType.UnsubAck) { MessageId = ack.PacketId });
            return;
        }

        var asked = _subscribing?.MessageId == ack.PacketId ? _subscribing : null;
        var reason = ack.Reasons[0];
        ushort id = 0;
        // A filter with wildcards has no id: topics are registered as they come (section 6.9).
        if (!reason.IsFailure() && asked is { TopicIdType: TopicIdType.Normal } && TopicName.IsValid(asked.Text)) id = Topics.Register(asked.Text, isKnown: true) ?? 0;
        else if (asked is { TopicIdType: not TopicIdType.Normal }) id = asked.TopicId;
        Outbox.Enqueue(new SensorPacket(SensorPacketType.SubAck)
        {
            QoS = reason.IsFailure() ? QoS.AtMostOnce : (QoS)reason, TopicId = id, MessageId = ack.PacketId, ReturnCode = CodeOf(reason),
        });
    }

    private static SensorReturnCode CodeOf(ReasonCode reason) => reason switch
    {
        ReasonCode.QuotaExceeded or ReasonCode.ServerBusy or ReasonCode.ReceiveMaximumExceeded or ReasonCode.MessageRateTooHigh => SensorReturnCode.Congestion,
        _ => reason.IsFailure() ? SensorReturnCode.NotSupported : SensorReturnCode.Accepted,
    };

    private void Register(SensorPacket packet)
    {
        var code = SensorReturnCode.NotSupported;
        ushort? id = null;
        if (TopicName.IsValid(packet.Text))
        {
            id = Topics.Register(packet.Text, isKnown: true);
            code = id is null ? SensorReturnCode.Congestion : SensorReturnCode.Accepted;
        }

        Outbox.Enqueue(new SensorPacket(SensorPacketType.RegAck) { TopicId = id ?? 0, MessageId = packet.MessageId, ReturnCode = code });
    }

    private void Publish(SensorPacket packet, TimeSpan now)
    {
        if (packet.QoS != QoS.AtMostOnce && packet.MessageId == 0)
        {
            Unexpected++;
            return;
        }

        if (packet.QoS != QoS.AtMostOnce && _receiving.ContainsKey(packet.MessageId)) return; // its acknowledgement is on the way
        if (IsAnswered(packet))
        {
            Answer(packet, SensorReturnCode.Accepted);
            return;
        }

        if (Topics.NameOf(packet.TopicIdType, packet.TopicId) is not { } name)
        {
            Answer(packet, SensorReturnCode.InvalidTopicId);
            return;
        }

        if (now < CongestedUntil || (packet.QoS != QoS.AtMostOnce && _receiving.Count >= _options.ReceiveMax))
        {
            if (packet.QoS != QoS.AtMostOnce) Answer(packet, SensorReturnCode.Congestion);
            return;
        }

        if (packet.QoS != QoS.AtMostOnce) _receiving.Add(packet.MessageId, packet);
        Requests.Enqueue(new PublishPacket
        {
            Message = new MqttMessage { Topic = name, Payload = packet.Data, QoS = packet.QoS, Retain = packet.Retain },
            PacketId = packet.QoS == QoS.AtMostOnce ? (ushort)0 : packet.MessageId,
            Duplicate = packet.Duplicate,
        });
    }

    /// <summary>A repetition of what was acknowledged: its PUBACK was lost, and it is not another message.</summary>
    private bool IsAnswered(SensorPacket packet) =>
        packet is { Duplicate: true, QoS: QoS.AtLeastOnce } && _answered is { } answered && answered.MessageId == packet.MessageId
        && answered.TopicId == packet.TopicId && answered.TopicIdType == packet.TopicIdType && answered.Data.Span.SequenceEqual(packet.Data.Span);

    private void Answer(SensorPacket publish, SensorReturnCode code)
    {
        if (code == SensorReturnCode.Accepted && publish.QoS == QoS.AtLeastOnce) _answered = publish;
        Outbox.Enqueue(new SensorPacket(SensorPacketType.PubAck) { TopicId = publish.TopicId, MessageId = publish.MessageId, ReturnCode = code });
    }

    private void Registered(SensorPacket packet, TimeSpan now)
    {
        if (_delivery is not { Stage: SensorPacketType.Register } delivery || delivery.MessageId != packet.MessageId) return;
        if (packet.ReturnCode == SensorReturnCode.Congestion) return; // it is asked again when it is time
        if (packet.ReturnCode != SensorReturnCode.Accepted)
        {
            Fail(delivery);
            return;
        }

        Topics.Know(delivery.Topic!.Id, isKnown: true);
        delivery.Stage = SensorPacketType.Publish;
        Begin(delivery, now);
    }

    private void Acknowledged(SensorPacket packet, TimeSpan now)
    {
        if (packet.ReturnCode == SensorReturnCode.InvalidTopicId) Topics.Know(packet.TopicId, isKnown: false);
        if (_delivery is not { Stage: SensorPacketType.Publish } delivery || delivery.PacketId != packet.MessageId) return;
        switch (packet.ReturnCode)
        {
            case SensorReturnCode.Accepted when delivery.QoS == QoS.AtLeastOnce:
                _delivery = null;
                Requests.Enqueue(new AckPacket(PacketType.PubAck) { PacketId = packet.MessageId });
                break;
            case SensorReturnCode.InvalidTopicId when delivery is { Topic.Type: TopicIdType.Normal, IsToldAgain: false }:
                delivery.IsToldAgain = true;
                delivery.Stage = SensorPacketType.Register;
                Begin(delivery, now);
                break;
            case SensorReturnCode.InvalidTopicId or SensorReturnCode.NotSupported:
                Fail(delivery);
                break;
        }
    }

    private void Received(SensorPacket packet)
    {
        if (_delivery is { Stage: SensorPacketType.Register } delivery && delivery.PacketId == packet.MessageId) return; // of an earlier connection
        Requests.Enqueue(new AckPacket(PacketType.PubRec) { PacketId = packet.MessageId });
    }

    private void Completed(SensorPacket packet)
    {
        if (_delivery is not { Stage: SensorPacketType.PubRel } delivery || delivery.PacketId != packet.MessageId) return;
        _delivery = null;
        Requests.Enqueue(new AckPacket(PacketType.PubComp) { PacketId = packet.MessageId });
    }

    /// <summary>It will not take it: the session forgets it.</summary>
    private void Fail(SensorDelivery delivery)
    {
        _delivery = null;
        if (delivery.QoS == QoS.AtMostOnce) return;
        var type = delivery.QoS == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec;
        Requests.Enqueue(new AckPacket(type) { PacketId = delivery.PacketId, Reason = ReasonCode.UnspecifiedError });
    }

    private void Wake(TimeSpan now)
    {
        State = SensorState.Awake;
        _awakeLeft = _options.QueuedMessagesMax;
        _awakeBytesLeft = _options.QueuedBytesMax;
        if (_delivery is not { } delivery) return;
        delivery.Repetitions = 0;
        delivery.Duplicate |= delivery.Stage == SensorPacketType.Publish;
        Say(delivery, now);
    }

    private void Repeat(SensorDelivery delivery, TimeSpan now)
    {
        if (delivery.Repetitions >= _options.RetriesMax)
        {
            // One that sleeps may have gone back to it; it asks again.
            if (State == SensorState.Awake) State = SensorState.Asleep;
            else Lose();
            return;
        }

        delivery.Repetitions++;
        delivery.Duplicate |= delivery.Stage == SensorPacketType.Publish;
        Say(delivery, now);
    }

    /// <summary>At the first step of the delivery, or at the next.</summary>
    private void Begin(SensorDelivery delivery, TimeSpan now)
    {
        delivery.Repetitions = 0;
        if (delivery.Stage == SensorPacketType.Register) delivery.MessageId = _lastMessageId = (ushort)(_lastMessageId == ushort.MaxValue ? 1 : _lastMessageId + 1);
        Say(delivery, now);
        // Nothing comes back.
        _delivery = delivery is { Stage: SensorPacketType.Publish, QoS: QoS.AtMostOnce } ? null : delivery;
    }

    private void Say(SensorDelivery delivery, TimeSpan now)
    {
        delivery.RepeatAt = now + _options.RetryInterval;
        Outbox.Enqueue(delivery.Stage switch
        {
            SensorPacketType.Register => new SensorPacket(SensorPacketType.Register)
            {
                TopicId = delivery.Topic!.Id, MessageId = delivery.MessageId, Text = delivery.Message!.Topic,
            },
            SensorPacketType.PubRel => new SensorPacket(SensorPacketType.PubRel) { MessageId = delivery.PacketId },
            _ => new SensorPacket(SensorPacketType.Publish)
            {
                Duplicate = delivery.Duplicate,
                QoS = delivery.QoS,
                Retain = delivery.Retain,
                TopicIdType = delivery.Topic!.Type,
                TopicId = delivery.Topic!.Id,
                MessageId = delivery.PacketId,
                Data = delivery.Message!.Payload,
            },
        });
    }
}
