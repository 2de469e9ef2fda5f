using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Durability;

/// <summary>What one session tells the journal. Sessions that do not outlive their connection have none. Under the broker's lock.</summary>
internal sealed class SessionJournal(Journal journal, uint id)
{
    private bool _isGone;

    /// <summary>Nothing new may be promised: see <see cref="Durability.Journal.IsFull"/>.</summary>
    public bool IsFull => journal.IsFull;

    /// <param name="client">Who has it now.</param>
    public void Opened(Session session, ClientInfo client) => journal.Append(Terms(session, client), 128);

    /// <summary>A client's own session, which has no subscriptions or will to tell of.</summary>
    public void Opened(SessionTermsEntry terms) => journal.Append(new(EntryKind.SessionOpened, id, 0, terms), 128);

    public void Closed()
    {
        if (_isGone) return;
        _isGone = true;
        journal.SessionIsGone();
        Append(EntryKind.SessionClosed, 0, null, 5);
    }

    public void Detached(Session session) =>
        Append(EntryKind.Detached, 0, new DetachedEntry(journal.UnixNow, (uint)session.Expiry.TotalSeconds), 17);

    public void WillCleared() => Append(EntryKind.WillCleared, 0, null, 5);

    public void Subscribed(Subscription subscription) => Append(EntryKind.Subscribed, 0, Entry(subscription), 16 + subscription.Text.Length);

    public void Unsubscribed(string text) => Append(EntryKind.Unsubscribed, 0, text, 8 + text.Length);

    public void Queued(OutboundMessage message, TimeSpan now)
    {
        if (_isGone) return;
        message.Stored ??= journal.Store(message.Message, message.ExpiresAt, now);
        message.Delivery = journal.Queue(id, message, message.Stored);
    }

    public void Sent(OutboundMessage message)
    {
        if (message.Delivery is { } delivery && !_isGone) Append(EntryKind.Sent, message.PacketId, delivery, 11);
    }

    /// <summary>The peer has forgotten the session: the packet id no longer means the message.</summary>
    public void Unsent(OutboundMessage message)
    {
        if (message.Delivery is { } delivery && !_isGone) Append(EntryKind.Sent, 0, delivery, 11);
    }

    public void Released(OutboundMessage message)
    {
        if (message.Delivery is { } delivery && !_isGone) Append(EntryKind.Released, 0, delivery, 9);
    }

    public void Settled(OutboundMessage message)
    {
        if (message.Delivery is not { } delivery) return;
        message.Delivery = null;
        journal.Settle(delivery, _isGone);
    }

    public void InboundRouted(ushort packetId) => Append(EntryKind.InboundRouted, packetId, null, 7);

    public void InboundTaken(ushort packetId) => Append(EntryKind.InboundTaken, packetId, null, 7);

    public void InboundReleased(ushort packetId) => Append(EntryKind.InboundReleased, packetId, null, 7);

    /// <summary>Appends a client's own session as it is now.</summary>
    public void Capture(SessionTermsEntry terms, Inbound inbound, Outbound outbound, List<JournalEntry> entries)
    {
        entries.Add(new(EntryKind.SessionOpened, id, 0, terms));
        inbound.CaptureTo(entries, id);
        outbound.CaptureTo(entries, id);
    }

    /// <summary>Appends all of the session as it is now.</summary>
    public void Capture(Session session, TimeSpan now, List<JournalEntry> entries)
    {
        entries.Add(Terms(session, session.Client));
        if (session.ExpiresAt is { } end)
        {
            var away = (long)(session.Expiry - (end - now)).TotalMilliseconds;
            entries.Add(new(EntryKind.Detached, id, 0, new DetachedEntry(journal.UnixNow - away, (uint)session.Expiry.TotalSeconds)));
        }

        foreach (var subscription in session.Subscriptions.Values) entries.Add(new(EntryKind.Subscribed, id, 0, Entry(subscription)));
        session.Inbound.CaptureTo(entries, id);
        session.Outbound.CaptureTo(entries, id);
    }

    private static SubscriptionEntry Entry(Subscription subscription) => new(subscription.Text, subscription.Options, subscription.Ids);

    private JournalEntry Terms(Session session, ClientInfo client) => new(
        EntryKind.SessionOpened,
        id,
        0,
        new SessionTermsEntry(
            client.ClientId, client.Principal.Name, client.Version, (uint)session.Expiry.TotalSeconds, session.Will));

    private void Append(EntryKind kind, ushort packetId, object? subject, int bytes)
    {
        if (!_isGone || kind == EntryKind.SessionClosed) journal.Append(new JournalEntry(kind, id, packetId, subject), bytes);
    }
}
