using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>What passes between the queue and its records on disk.</summary>
internal sealed partial class Outbound
{
    /// <summary>Takes up what the journal kept, in the order it was queued.</summary>
    public void Restore(OutboundMessage message, ushort packetId, bool released)
    {
        Keep(message);
        if (packetId == 0)
        {
            (_waiting ??= new WaitingQueue(Policy)).Enqueue(message);
            CountWaiting(message, 1);
            return;
        }

        message.PacketId = _lastId = packetId;
        message.Released = released;
        message.Sequence = ++_nextSequence;
        _inFlight ??= new Dictionary<ushort, OutboundMessage>();
        _inFlight[packetId] = message;
        _inFlightBytes += message.Message.QueuedBytes;
    }

    /// <summary>Appends every durable delivery as it is now, in order.</summary>
    public void CaptureTo(List<JournalEntry> entries, uint session)
    {
        if (_inFlight is not null)
        {
            foreach (var message in _inFlight.Values.OrderBy(message => message.Sequence))
            {
                if (message.Delivery is not { } delivery) continue;
                entries.Add(new(EntryKind.Queued, session, 0, delivery));
                entries.Add(new(EntryKind.Sent, session, message.PacketId, delivery));
                if (message.Released) entries.Add(new(EntryKind.Released, session, 0, delivery));
            }
        }

        foreach (var message in Waiting)
        {
            if (message.Delivery is { } delivery) entries.Add(new(EntryKind.Queued, session, 0, delivery));
        }
    }

    /// <summary>The session is not kept across restarts any more.</summary>
    public void Forsake()
    {
        foreach (var message in _inFlight?.Values ?? Enumerable.Empty<OutboundMessage>()) Journal?.Settled(message);
        foreach (var message in Waiting) Journal?.Settled(message);
    }
}
