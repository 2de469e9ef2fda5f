using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>Turns entries into the records of a frame; <see cref="Replay"/> is its inverse.</summary>
/// <param name="snapshot">The snapshot's number, 0 in a log. In either a message is written before the first record that needs it.</param>
internal sealed class EntryEncoder(long snapshot)
{
    public void Write(OutputBuffer output, in JournalEntry entry)
    {
        switch (entry.Kind)
        {
            case EntryKind.Queued: Write(output, (StoredDelivery)entry.Subject!); return;
            case EntryKind.Sent or EntryKind.Released or EntryKind.Settled:
                var delivery = (StoredDelivery)entry.Subject!;
                if (snapshot == 0 && delivery.Elided) return;
                Begin(output, entry.Kind, delivery.Id);
                if (entry.Kind == EntryKind.Sent) output.WriteUInt16(entry.PacketId);
                return;
            case EntryKind.Retained:
                var stored = (StoredMessage)entry.Subject!;
                if (snapshot == 0 && stored.RetainedElided) return;
                Need(output, stored);
                Begin(output, EntryKind.Retained, stored.Id);
                return;
            case EntryKind.RetainedCleared:
                output.WriteByte((byte)entry.Kind);
                output.WriteString((string)entry.Subject!);
                return;
            case EntryKind.End:
                output.WriteByte((byte)entry.Kind);
                return;
        }

        output.WriteByte((byte)entry.Kind);
        output.WriteUInt32(entry.Session);
        switch (entry.Subject)
        {
            case SessionTermsEntry terms: Write(output, terms); break;
            case SubscriptionEntry subscription: Write(output, subscription); break;
            case DetachedEntry detached:
                WriteInt64(output, detached.At);
                output.WriteUInt32(detached.ExpirySeconds);
                break;
            case QueueEntry queue:
                output.WriteString(queue.Name);
                output.WriteString(queue.Stream.ToString("N"));
                WriteInt64(output, queue.LastId);
                break;
            case string text: output.WriteString(text); break;
            default:
                if (entry.Kind is EntryKind.InboundRouted or EntryKind.InboundTaken or EntryKind.InboundReleased) output.WriteUInt16(entry.PacketId);
                break;
        }
    }

    private void Write(OutputBuffer output, StoredDelivery delivery)
    {
        if (snapshot == 0 && delivery.Elided) return;
        Need(output, delivery.Stored);
        Begin(output, EntryKind.Queued, delivery.Id);
        output.WriteUInt32(delivery.Session);
        WriteInt64(output, delivery.Stored.Id);
        output.WriteByte((byte)((int)delivery.QoS | (delivery.Retain ? 4 : 0)));
        Write(output, delivery.SubscriptionIds);
    }

    private static void Write(OutputBuffer output, SessionTermsEntry terms)
    {
        output.WriteString(terms.ClientId);
        output.WriteString(terms.User);
        output.WriteByte((byte)terms.Version);
        output.WriteUInt32(terms.ExpirySeconds);
        output.WriteByte((byte)(terms.Will is null ? 0 : 1));
        if (terms.Will is not { } will) return;
        output.WriteUInt32(will.DelaySeconds);
        Write(output, will.Message);
    }

    private static void Write(OutputBuffer output, SubscriptionEntry subscription)
    {
        output.WriteString(subscription.Text);
        var options = subscription.Options;
        output.WriteByte((byte)((int)options.MaximumQoS | (options.NoLocal ? 4 : 0) | (options.RetainAsPublished ? 8 : 0) | ((int)options.RetainHandling << 4)));
        Write(output, subscription.Ids);
    }

    private void Need(OutputBuffer output, StoredMessage stored)
    {
        if (snapshot == 0 ? stored.Written : stored.Snapshot == snapshot) return;
        if (snapshot == 0) stored.Written = true;
        else stored.Snapshot = snapshot;
        Begin(output, EntryKind.Message, stored.Id);
        WriteInt64(output, stored.ExpiresAt);
        Write(output, stored.Message);
    }

    /// <summary>As the PUBLISH of version 5 that would bring it, which has a place for everything a message is.</summary>
    private static void Write(OutputBuffer output, MqttMessage message) => PacketEncoder.WritePublish(
        output,
        new OutgoingPublish { Message = message, QoS = message.QoS, Retain = message.Retain, PacketId = 1, ExpirySeconds = message.MessageExpirySeconds },
        ProtocolVersion.V5);

    private static void Write(OutputBuffer output, uint[]? ids)
    {
        output.WriteVariable((uint)(ids?.Length ?? 0));
        foreach (var id in ids ?? []) output.WriteVariable(id);
    }

    private static void Begin(OutputBuffer output, EntryKind kind, long id)
    {
        output.WriteByte((byte)kind);
        WriteInt64(output, id);
    }

    private static void WriteInt64(OutputBuffer output, long value)
    {
        output.WriteUInt32((uint)(value >> 32));
        output.WriteUInt32((uint)value);
    }
}
