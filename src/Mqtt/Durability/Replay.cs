using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>
/// Applies the records of frames, in order, to nothing at first. Any bytes are safe: a record that cannot be understood ends its frame
/// and is counted, one that refers to what is not there is ignored. Holds what is live and no more. Records may come twice.
/// </summary>
internal sealed class Replay
{
    private readonly Dictionary<long, StoredMessage> _messages = [];
    private readonly Dictionary<long, StoredDelivery> _deliveries = [];
    private readonly Dictionary<uint, ReplayedQueue> _queues = [];
    private readonly List<StoredMessage> _fresh = [];

    public Dictionary<long, ReplayedSession> Sessions { get; } = [];

    /// <summary>By name.</summary>
    public Dictionary<string, ReplayedQueue> Queues { get; } = new(StringComparer.Ordinal);

    /// <summary>By topic.</summary>
    public Dictionary<string, StoredMessage> Retained { get; } = new(StringComparer.Ordinal);

    /// <summary>The highest id of a message or delivery seen.</summary>
    public long LastId { get; private set; }

    public uint LastSession { get; private set; }

    /// <summary>A snapshot's last record was seen.</summary>
    public bool Ended { get; private set; }

    /// <summary>True when all of the frame's body was understood.</summary>
    public bool Apply(ReadOnlySpan<byte> body)
    {
        var reader = new FieldReader(body);
        while (reader is { Failed: false, Remaining: > 0 }) Apply(ref reader);
        foreach (var message in _fresh)
        {
            if (message.References == 0) _messages.Remove(message.Id);
        }

        _fresh.Clear();
        return !reader.Failed;
    }

    private void Apply(ref FieldReader reader)
    {
        var kind = (EntryKind)reader.ReadByte();
        switch (kind)
        {
            case EntryKind.Message: ReadMessage(ref reader); break;
            case EntryKind.Queued: ReadQueued(ref reader); break;
            case EntryKind.Sent or EntryKind.Released or EntryKind.Settled: ReadProgress(kind, ref reader); break;
            case EntryKind.Retained:
                if (_messages.TryGetValue(ReadInt64(ref reader), out var stored)) Retain(stored.Message.Topic, stored);
                break;
            case EntryKind.RetainedCleared: Retain(reader.ReadString(), null); break;
            case EntryKind.End: Ended = true; break;
            case EntryKind.QueueOpened: OpenQueue(ref reader); break;
            case EntryKind.None or > EntryKind.QueueOpened: reader.Fail(ReasonCode.MalformedPacket); break;
            default: ReadSession(kind, reader.ReadUInt32(), ref reader); break;
        }
    }

    private void ReadSession(EntryKind kind, uint id, ref FieldReader reader)
    {
        if (kind == EntryKind.SessionOpened)
        {
            Open(id, ref reader);
            return;
        }

        var session = Sessions.GetValueOrDefault(id);
        switch (kind)
        {
            case EntryKind.SessionClosed:
                Close(session);
                CloseQueue(id);
                break;
            case EntryKind.Detached:
                var detached = new DetachedEntry(ReadInt64(ref reader), reader.ReadUInt32());
                if (session is not null) session.Detached = detached;
                break;
            case EntryKind.WillCleared:
                if (session is not null) session.Will = null;
                break;
            case EntryKind.Subscribed:
                var subscription = ReadSubscription(ref reader);
                if (session is not null && !reader.Failed) session.Subscriptions[subscription.Text] = subscription;
                break;
            case EntryKind.Unsubscribed:
                session?.Subscriptions.Remove(reader.ReadString());
                break;
            case EntryKind.InboundReleased:
                session?.Inbound.Remove(reader.ReadUInt16());
                break;
            default:
                var packetId = reader.ReadUInt16();
                if (session is not null && !reader.Failed) session.Inbound[packetId] = kind == EntryKind.InboundRouted;
                break;
        }
    }

    private void Open(uint id, ref FieldReader reader)
    {
        var clientId = reader.ReadString();
        var user = reader.ReadString();
        var version = reader.ReadByte() == (byte)ProtocolVersion.V5 ? ProtocolVersion.V5 : ProtocolVersion.V311;
        var expiry = reader.ReadUInt32();
        LastWill? will = null;
        if (reader.ReadByte() != 0)
        {
            var delay = reader.ReadUInt32();
            if (ReadPublish(ref reader) is { } message) will = new LastWill(message, delay);
        }

        if (reader.Failed) return;
        var terms = new SessionTermsEntry(clientId, user, version, expiry, will);
        LastSession = Math.Max(LastSession, id);
        if (!Sessions.TryGetValue(id, out var session))
        {
            Sessions.Add(id, new ReplayedSession(id, terms));
            return;
        }

        session.Terms = terms;
        session.Will = will;
        session.Detached = null;
    }

    private void OpenQueue(ref FieldReader reader)
    {
        var id = reader.ReadUInt32();
        var name = reader.ReadString();
        if (!Guid.TryParseExact(reader.ReadString(), "N", out var stream)) reader.Fail(ReasonCode.MalformedPacket);
        var lastId = ReadInt64(ref reader);
        if (reader.Failed) return;
        LastSession = Math.Max(LastSession, id);
        LastId = Math.Max(LastId, lastId);
        if (_queues.ContainsKey(id)) return;
        var queue = new ReplayedQueue(id, name, stream);
        _queues.Add(id, queue);
        Queues[name] = queue;
    }

    private void CloseQueue(uint id)
    {
        if (!_queues.Remove(id, out var queue)) return;
        if (Queues.GetValueOrDefault(queue.Name) == queue) Queues.Remove(queue.Name);
        Forget(queue.Deliveries.Values);
    }

    private Dictionary<long, StoredDelivery>? DeliveriesOf(uint id) =>
        Sessions.GetValueOrDefault(id)?.Deliveries ?? _queues.GetValueOrDefault(id)?.Deliveries;

    private void Close(ReplayedSession? session)
    {
        if (session is null) return;
        Sessions.Remove(session.Id);
        Forget(session.Deliveries.Values);
    }

    private void Forget(IEnumerable<StoredDelivery> deliveries)
    {
        foreach (var delivery in deliveries)
        {
            _deliveries.Remove(delivery.Id);
            Forget(delivery.Stored);
        }
    }

    private static SubscriptionEntry ReadSubscription(ref FieldReader reader)
    {
        var text = reader.ReadString();
        var bits = reader.ReadByte();
        // The two QoS bits cannot say 3: nothing writes that, and everything below would misbehave on it.
        if ((bits & 3) == 3 || (bits >> 4) > 2) reader.Fail(ReasonCode.MalformedPacket);
        var options = new SubscriptionOptions((QoS)(bits & 3), (bits & 4) != 0, (bits & 8) != 0, (RetainHandling)(bits >> 4));
        return new SubscriptionEntry(text, options, ReadIds(ref reader));
    }

    private void ReadMessage(ref FieldReader reader)
    {
        var id = ReadInt64(ref reader);
        var expiresAt = ReadInt64(ref reader);
        if (ReadPublish(ref reader) is not { } message || _messages.ContainsKey(id)) return;
        var stored = new StoredMessage(id, message, expiresAt);
        LastId = Math.Max(LastId, id);
        _messages.Add(id, stored);
        _fresh.Add(stored);
    }

    private void ReadQueued(ref FieldReader reader)
    {
        var id = ReadInt64(ref reader);
        var session = reader.ReadUInt32();
        var stored = _messages.GetValueOrDefault(ReadInt64(ref reader));
        var bits = reader.ReadByte();
        if ((bits & 3) is 0 or 3) reader.Fail(ReasonCode.MalformedPacket);
        var ids = ReadIds(ref reader);
        if (reader.Failed || DeliveriesOf(session) is not { } deliveries || stored is null || _deliveries.ContainsKey(id)) return;
        var delivery = new StoredDelivery(id, session, stored, (QoS)(bits & 3), (bits & 4) != 0, ids);
        LastId = Math.Max(LastId, id);
        stored.References++;
        _deliveries.Add(id, delivery);
        deliveries.Add(id, delivery);
    }

    private void ReadProgress(EntryKind kind, ref FieldReader reader)
    {
        var id = ReadInt64(ref reader);
        var packetId = kind == EntryKind.Sent ? reader.ReadUInt16() : (ushort)0;
        if (reader.Failed || !_deliveries.TryGetValue(id, out var delivery)) return;
        switch (kind)
        {
            case EntryKind.Sent: delivery.PacketId = packetId; break;
            case EntryKind.Released: delivery.Released = true; break;
            default:
                _deliveries.Remove(id);
                DeliveriesOf(delivery.Session)?.Remove(id);
                Forget(delivery.Stored);
                break;
        }
    }

    private void Retain(string topic, StoredMessage? stored)
    {
        if (Retained.Remove(topic, out var replaced)) Forget(replaced);
        if (stored is null) return;
        stored.References++;
        Retained.Add(topic, stored);
        _messages[stored.Id] = stored;
    }

    private void Forget(StoredMessage stored)
    {
        if (--stored.References == 0) _messages.Remove(stored.Id);
    }

    private static MqttMessage? ReadPublish(ref FieldReader reader)
    {
        var first = reader.ReadByte();
        var body = reader.ReadBytes(reader.ReadVariable());
        if (reader.Failed) return null;
        if (PacketDecoder.Decode(first, body, ProtocolVersion.V5, out var packet) == ReasonCode.Success && packet is PublishPacket { Message.Topic.Length: > 0 } publish)
            return publish.Message;
        reader.Fail(ReasonCode.MalformedPacket);
        return null;
    }

    private static uint[]? ReadIds(ref FieldReader reader)
    {
        var count = reader.ReadVariable();
        if (count == 0 || reader.Failed) return null;
        if (count > reader.Remaining)
        {
            reader.Fail(ReasonCode.MalformedPacket);
            return null;
        }

        var ids = new uint[count];
        for (var i = 0; i < ids.Length; i++) ids[i] = reader.ReadVariable();
        return ids;
    }

    private static long ReadInt64(ref FieldReader reader) => ((long)reader.ReadUInt32() << 32) | reader.ReadUInt32();
}
