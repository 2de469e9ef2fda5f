using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// The broker's state behind one lock: sessions, routes and retained messages. Every method but <see cref="CompleteHold"/> expects to
/// run inside a <see cref="Turn"/>. Short critical sections are enough: routing is memory work, sending happens outside.
/// </summary>
internal sealed class BrokerCore : IJournalOwner
{
    /// <summary>Expired retained messages are never delivered; this is only how soon their memory comes back.</summary>
    private static readonly TimeSpan RetainedSweepInterval = TimeSpan.FromSeconds(30);

    private readonly BrokerOptions _options;
    private readonly long _startedAt;
    private readonly Random _random;
    private TimeSpan _sweepAt;

    public BrokerCore(BrokerOptions options)
    {
        _options = options;
        _startedAt = options.TimeProvider.GetTimestamp();
        _random = options.RandomSeed is { } seed ? new Random(seed) : new Random();
        Router = new Router(options.Limits, Counters, options.IsToldAnew);
    }

    public Lock Gate { get; } = new();

    /// <summary>The turn that holds the lock.</summary>
    public Turn? Current { get; set; }

    /// <summary>Time since the broker was made, on a clock that never jumps.</summary>
    public TimeSpan Now => _options.TimeProvider.GetElapsedTime(_startedAt);

    public BrokerCounters Counters { get; } = new();

    public Router Router { get; }

    /// <summary>Null in a broker that keeps nothing, and until what it kept is loaded.</summary>
    public Journal? Journal { get; private set; }

    public Dictionary<string, Session> Sessions { get; } = new(StringComparer.Ordinal);

    public long RetainedBytes => Router.Retained.Bytes;

    /// <summary>What the host keeps, by name.</summary>
    public Dictionary<string, HostQueue> Queues { get; } = new(StringComparer.Ordinal);

    private IBrokerTap? Tap => _options.Tap;

    public void OnAppended() => Current!.Appended = true;

    public void CaptureTo(List<JournalEntry> entries)
    {
        foreach (var session in Sessions.Values) session.Journal?.Capture(session, Now, entries);
        Router.Retained.CaptureTo(entries);
        foreach (var queue in Queues.Values) queue.CaptureTo(entries);
    }

    public Turn Enter()
    {
        // Inside a change that the host makes, which is one turn.
        if (Gate.IsHeldByCurrentThread) return Current!.Nest();
        var turn = Turn.Rent(this);
        turn.Enter();
        return turn;
    }

    /// <summary>One that no session has [MQTT-3.2.2-16].</summary>
    public string NewClientId()
    {
        string id;
        do id = $"auto-{_random.NextInt64(1L << 62):x16}";
        while (Sessions.ContainsKey(id));
        return id;
    }

    /// <summary>Whose session a client id stands for; null when there is none that lives.</summary>
    public string? OwnerOf(string clientId, Turn turn) =>
        Sessions.TryGetValue(clientId, out var session) && (session.Link is not null || !(session.ExpiresAt <= turn.Now))
            ? session.Client.Principal.Name
            : null;

    /// <summary>Whose quota forbids this client a connection, if any. The one that it would take over makes room for it.</summary>
    public QuotaAccount? FullFor(ClientInfo client) => client.Principal.AccountArray.FullForConnection(
        Sessions.TryGetValue(client.ClientId, out var session) && session.Link is not null ? session.Client.Principal.AccountArray : []);

    /// <summary>Gives the client its session, new or resumed, and ends the connection that had it before. Null: there is no room for it.</summary>
    public ConnectedSession? Connect(ClientInfo client, SessionTerms terms, Turn turn)
    {
        if (Sessions.TryGetValue(client.ClientId, out var session))
        {
            // What was due while the timer had not looked yet comes first: a will, and the end of the session.
            var expired = session.Link is null && session.ExpiresAt <= turn.Now;
            if (session.WillDueAt <= turn.Now) PublishWill(session, turn);
            if (!expired) TakeOver(session, terms, turn);
            if (terms.CleanStart || expired || session.ExpiresAt <= turn.Now) End(session, turn);
        }

        var present = Sessions.TryGetValue(client.ClientId, out session);
        if (!present)
        {
            var isKept = Journal is not null && terms.Expiry > TimeSpan.Zero;
            if (WhatHinders(terms, isKept) is { } limit)
            {
                Counters.Hit(limit);
                return null;
            }

            session = new Session(client, _options.Limits, Counters) { Journal = isKept ? Journal!.NewSession() : null };
            Sessions.Add(client.ClientId, session);
        }

        session!.Will = terms.Will;
        session.Expiry = terms.Expiry;
        if (terms.Expiry == TimeSpan.Zero) session.LeaveJournal();
        session.Journal?.Opened(session, client);
        return new ConnectedSession(session, present);
    }

    /// <summary>Binds the session to its connection after CONNACK was written, and repeats what was unacknowledged.</summary>
    public void Attach(ConnectedSession connected, ClientInfo client, SessionLink link, Turn turn)
    {
        var session = connected.Session;
        session.Attach(client, link);
        link.Resumed = connected.Present;
        Counters.ConnectionsAccepted++;
        Counters.PacketsIn++;
        MqttLog.Connected(_options.Logger, client.ClientId, client.RemoteAddress, connected.Present);
        session.Outbound.Attach(link, turn.Now, turn.Settled);
        if (Tap is { } tap) turn.Call(() => tap.OnConnected(client, connected.Present));
    }

    /// <summary>A connection is gone. Nothing happens when another one has the session already.</summary>
    /// <param name="reason">Success only for a DISCONNECT that cancels the will.</param>
    public void Disconnect(Session session, SessionLink link, ReasonCode reason, Turn turn)
    {
        if (!ReferenceEquals(session.Link, link)) return;
        session.Detach(turn.Now);
        MqttLog.Disconnected(_options.Logger, session.ClientId, reason);
        if (Tap is { } tap)
        {
            var client = session.Client;
            turn.Call(() => tap.OnDisconnected(client, reason));
        }

        if (reason == ReasonCode.Success) session.Will = null;
        if (reason == ReasonCode.Success) session.Journal?.WillCleared();
        session.Journal?.Detached(session);
        if (session.Will is { } will)
        {
            session.WillDueAt = turn.Now + TimeSpan.FromSeconds(will.DelaySeconds);
            if (will.DelaySeconds == 0) PublishWill(session, turn);
        }

        if (session.Expiry == TimeSpan.Zero) End(session, turn);
    }

    /// <summary>Forgets a session that has no connection any more.</summary>
    public void End(Session session, Turn turn)
    {
        PublishWill(session, turn);
        foreach (var subscription in session.Subscriptions.Values)
        {
            if (!subscription.Elsewhere) Router.Remove(subscription);
        }

        var unfinished = session.Outbound.Unfinished();
        Sessions.Remove(session.ClientId);
        session.LeaveJournal();
        session.End(turn.Settled);
        for (var i = 0; i < unfinished.Count; i++) Router.Pass(unfinished[i], turn);
        if (Tap is not { } tap) return;
        var client = session.Client;
        turn.Call(() => tap.OnSessionEnded(client));
    }

    /// <summary>The broker stops: nobody is left to tell but those who wait for a delivery.</summary>
    public void Forget(Session session, Turn turn)
    {
        Sessions.Remove(session.ClientId);
        session.Journal = null;
        session.Will = null;
        session.End(turn.Settled);
    }

    /// <summary>Begins to keep things, from what was kept before.</summary>
    public void Restore(Journal journal, Replay replay, Turn turn)
    {
        journal.StartAfter(replay.LastId + (replay.Queues.Count > 0 ? HostQueue.Jump : 0), replay.LastSession);
        var utcNow = journal.UnixNow;
        foreach (var stored in replay.Retained.Values)
        {
            if (!Router.Retained.Contains(stored.Message.Topic) && stored.LeftOf(utcNow, turn.Now) is var expiresAt && !(expiresAt <= turn.Now))
                Router.Retained.Set(stored.Message, expiresAt, stored);
        }

        foreach (var kept in replay.Sessions.Values)
        {
            if (!Sessions.ContainsKey(kept.Terms.ClientId)) Restore(journal, kept, utcNow, turn);
        }

        foreach (var kept in replay.Queues.Values) Queues.TryAdd(kept.Name, new HostQueue(this, journal, kept, replay.LastId));
        Journal = Router.Journal = journal;
    }

    private void Restore(Journal journal, ReplayedSession kept, long utcNow, Turn turn)
    {
        var terms = kept.Terms;
        var client = new ClientInfo(terms.ClientId, new Principal(terms.User), "restart", Trusted: false, terms.Version);
        var session = new Session(client, _options.Limits, Counters)
        {
            Expiry = TimeSpan.FromSeconds(kept.Detached?.ExpirySeconds ?? terms.ExpirySeconds), Will = kept.Will, Journal = journal.Resume(kept.Id),
        };

        // A clock that went back, as boards without one do, counts as no time at all.
        var away = kept.Detached is { } detached ? TimeSpan.FromMilliseconds(Math.Max(0, utcNow - detached.At)) : TimeSpan.Zero;
        session.Restore(turn.Now + session.Expiry - away, session.Will is { } will ? turn.Now + TimeSpan.FromSeconds(will.DelaySeconds) - away : null);
        Sessions.Add(session.ClientId, session);
        foreach (var (text, options, ids) in kept.Subscriptions.Values)
        {
            if (!SharedFilter.TryParse(text, out var parsed)) continue;
            var subscription = new Subscription(session, text, parsed.Filter) { Options = options, Ids = ids };
            session.Add(subscription);
            Router.Add(subscription, parsed.Group);
        }

        kept.RestoreTo(session.Inbound, session.Outbound, journal, turn.Now);
    }

    /// <summary>Publishes wills that are due, ends sessions and forgets retained messages that expired.</summary>
    public void Advance(Turn turn)
    {
        List<Session>? expired = null;
        List<Session>? wills = null;
        foreach (var session in Sessions.Values)
        {
            if (session.ExpiresAt <= turn.Now) (expired ??= []).Add(session);
            else if (session.WillDueAt <= turn.Now) (wills ??= []).Add(session);
        }

        foreach (var session in wills ?? []) PublishWill(session, turn);
        foreach (var session in expired ?? [])
        {
            Counters.SessionsExpired++;
            End(session, turn);
        }

        if (turn.Now < _sweepAt) return;
        _sweepAt = turn.Now + RetainedSweepInterval;
        Router.Retained.Sweep(turn.Now);
    }

    /// <summary>Thread safe; enters a turn of its own.</summary>
    public void CompleteHold(PublishHold hold, Session session, ReasonCode reason)
    {
        using var turn = Enter();
        // What it acknowledges was journalled in an earlier turn.
        turn.Appended |= Journal is not null;
        if (hold.Outcome is not null) return;
        hold.Outcome = reason;
        if (hold.Pending is { } pending) Complete(session, pending, reason);
    }

    /// <summary>The tap has returned: acknowledges its message, or gives a deferred one its place in the order.</summary>
    public static void Settle(PublishHold hold, PublishPacket packet, Session session, SessionLink link, ReasonCode reason)
    {
        var qos = packet.Message.QoS;
        if (!hold.IsDeferred)
        {
            session.Inbound.Acknowledge(packet.PacketId, qos, reason, link);
            return;
        }

        hold.Pending = session.Inbound.Defer(packet.PacketId, qos);
        if (hold.Outcome is { } outcome) Complete(session, hold.Pending, outcome);
    }

    private static void Complete(Session session, InboundMessage pending, ReasonCode reason)
    {
        var link = session.Link;
        if (reason.IsFailure() && pending.Queued && link is { Version: ProtocolVersion.V311 })
        {
            link.Output.Abort(reason);
            link = null;
        }

        session.Inbound.Complete(pending, reason, link);
    }

    /// <summary>Why there can be no new session; null when there can.</summary>
    private BrokerLimit? WhatHinders(SessionTerms terms, bool isKept)
    {
        if (Sessions.Count >= _options.Limits.SessionsMax) return BrokerLimit.Sessions;
        if (terms.Will is { } will && Counters.HeldBytes + will.Message.QueuedBytes > _options.Limits.HeldBytesMax) return BrokerLimit.HeldBytes;
        return isKept && Journal!.IsFull ? BrokerLimit.Disk : null;
    }

    private void TakeOver(Session session, SessionTerms terms, Turn turn)
    {
        if (session.Link is not { } link)
        {
            // A reconnect in time cancels a delayed will, unless it ends the session.
            if (!terms.CleanStart) session.Will = null;
            return;
        }

        // MQTT 5 section 3.1.4 with 3.1.3.2.2: an undelayed will is sent, a delayed one only if its session ends.
        var isResumed = !terms.CleanStart && session.Expiry > TimeSpan.Zero;
        if (isResumed && session.Will is { DelaySeconds: > 0 }) session.Will = null;
        link.Output.Abort(ReasonCode.SessionTakenOver);
        session.Detach(turn.Now);
        if (Tap is { } tap)
        {
            var client = session.Client;
            turn.Call(() => tap.OnDisconnected(client, ReasonCode.SessionTakenOver));
        }

        PublishWill(session, turn);
    }

    private void PublishWill(Session session, Turn turn)
    {
        if (session.Will is not { } will) return;
        session.Will = null;
        session.WillDueAt = null;
        session.Journal?.WillCleared();
        Router.Route(will.Message, session, turn);
    }
}
