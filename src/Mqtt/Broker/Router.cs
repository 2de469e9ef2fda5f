using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Decides who gets a message and with what QoS, retain flag and subscription identifiers. A client with several matching
/// subscriptions gets one copy with the highest QoS and all identifiers (MQTT 5 section 3.3.4), and one more for each group it is picked
/// from. Works under the broker's lock.
/// </summary>
/// <param name="isToldAnew">Retained messages of such a topic are not kept across restarts.</param>
internal sealed class Router(BrokerLimits limits, BrokerCounters counters, Func<string, bool> isToldAnew)
{
    private readonly TopicTrie<Route> _routes = new();
    private readonly List<Route> _matches = [];
    private readonly List<Target> _targets = [];

    /// <summary>Told of retained messages; null in a broker that keeps nothing.</summary>
    public Journal? Journal { get; set; }

    public RetainedStore Retained { get; } = new(limits.RetainedMessagesMax, limits.RetainedBytesMax);

    public int Subscriptions => _routes.Count;

    /// <summary>Estimate of what they take in memory.</summary>
    public long SubscriptionBytes { get; private set; }

    /// <summary>An entry, its filter twice, and a node for each level.</summary>
    public static int SubscriptionBytesOf(string filter) => 200 + (4 * filter.Length) + (96 * TopicName.CountLevels(filter));

    /// <summary>Members of groups.</summary>
    public int SharedSubscriptions { get; private set; }

    public void Add(string filter, Route route) => _routes.Add(filter, route);

    public void Remove(string filter, Route route) => _routes.Remove(filter, route);

    public bool HasSubscribersBelow(string firstLevel) => _routes.HasFirstLevel(firstLevel);

    /// <summary>Enters a subscription, for a shared one by way of its group.</summary>
    public void Add(Subscription subscription, string? groupName)
    {
        SubscriptionBytes += SubscriptionBytesOf(subscription.Filter);
        if (groupName is null)
        {
            _routes.Add(subscription.Filter, subscription);
            return;
        }

        var group = (SharedGroup?)_routes.Find(subscription.Filter, route => route is SharedGroup shared && shared.Name == groupName);
        if (group is null)
        {
            group = new SharedGroup(groupName, subscription.Filter);
            _routes.Add(group.Filter, group);
        }

        group.Add(subscription);
        subscription.Group = group;
        SharedSubscriptions++;
    }

    public void Remove(Subscription subscription)
    {
        SubscriptionBytes -= SubscriptionBytesOf(subscription.Filter);
        if (subscription.Group is not { } group)
        {
            _routes.Remove(subscription.Filter, subscription);
            return;
        }

        group.Remove(subscription);
        subscription.Group = null;
        SharedSubscriptions--;
        if (group.IsEmpty) _routes.Remove(group.Filter, group);
    }

    /// <summary>Stores a retained message and delivers to all subscribers. Returns how many there were.</summary>
    /// <param name="publisher">For subscriptions that want no local messages; null when it is no client.</param>
    public int Route(MqttMessage message, Session? publisher, Turn turn)
    {
        counters.CountIn(message);
        var expiresAt = ExpiryOf(message, turn.Now);
        var stored = message.Retain ? Retain(message, publisher, expiresAt, turn) : null;

        _matches.Clear();
        _routes.Match(message.Topic, _matches);
        foreach (var route in _matches)
        {
            switch (route)
            {
                case Subscription subscription: Collect(subscription, message, publisher); break;
                case SharedGroup group: _targets.Add(TargetOf(group.Pick(), message)); break;
                case LocalRoute local: turn.Call(local.Callback, message); break;
            }
        }

        foreach (var target in _targets) Deliver(target, message, expiresAt, ref stored, turn);
        _targets.Clear();
        return _matches.Count;
    }

    /// <summary>Offers what a member of a group left behind to another one (MQTT 5 section 4.8.2).</summary>
    public static void Pass(OutboundMessage left, Turn turn)
    {
        if (left.Group is not { IsEmpty: false } group || left.IsExpired(turn.Now)) return;
        StoredMessage? stored = null;
        Deliver(TargetOf(group.Pick(), left.Message), left.Message, left.ExpiresAt, ref stored, turn);
    }

    /// <summary>Whether routing this message would be a promise that only a disk can keep.</summary>
    public bool NeedsDisk(MqttMessage message)
    {
        if (message.Retain && !message.Payload.IsEmpty && JournalFor(message.Topic) is not null) return true;
        if (message.QoS == QoS.AtMostOnce) return false;
        _matches.Clear();
        _routes.Match(message.Topic, _matches);
        foreach (var route in _matches)
        {
            if (route is SharedGroup or Subscription { Session.Journal: not null }) return true;
        }

        return false;
    }

    /// <summary>Some session would have to keep this message of QoS 1 or 2, and there is no memory left for that.</summary>
    public bool WouldOverflow(MqttMessage message)
    {
        if (counters.HeldBytes <= limits.HeldBytesTight) return false;
        _matches.Clear();
        _routes.Match(message.Topic, _matches);
        long needed = 0;
        foreach (var route in _matches)
        {
            if (route is not Subscription { Options.MaximumQoS: not QoS.AtMostOnce } subscription) continue;
            if (subscription.Session.Outbound.WouldQueue(subscription.Session.Link)) needed += message.QueuedBytes;
        }

        return needed > 0 && counters.HeldBytes + needed > limits.HeldBytesMax;
    }

    /// <summary>Sends the retained messages a new subscription covers.</summary>
    public void SendRetained(Subscription subscription, SubscriptionOptions options, Turn turn)
    {
        var retained = new List<RetainedMessage>();
        // A client that subscribes again and again must not keep everybody waiting for what it has no room for.
        if (!subscription.Session.Outbound.IsFull(subscription.Session.Link)) Retained.Match(subscription.Filter, turn.Now, retained);
        foreach (var (message, expiresAt, stored, publisher) in retained)
        {
            if (options.NoLocal && publisher == subscription.Session.ClientId) continue;
            if (subscription.Session.Outbound.IsFull(subscription.Session.Link))
            {
                subscription.Session.Outbound.CountDropped();
                continue;
            }

            var qos = Lower(message.QoS, options.MaximumQoS);
            var outbound = new OutboundMessage(message, qos)
            {
                Retain = true, SubscriptionIds = subscription.Ids, ExpiresAt = expiresAt, Stored = stored,
            };
            subscription.Session.Deliver(outbound, turn.Now, turn.Settled);
        }
    }

    public static TimeSpan? ExpiryOf(MqttMessage message, TimeSpan now) =>
        message.MessageExpirySeconds is { } seconds ? now + TimeSpan.FromSeconds(seconds) : null;

    private static QoS Lower(QoS published, QoS granted) => published < granted ? published : granted;

    private void Collect(Subscription subscription, MqttMessage message, Session? publisher)
    {
        var session = subscription.Session;
        if (subscription.Options.NoLocal && ReferenceEquals(session, publisher)) return;
        var found = TargetOf(subscription, message);
        if (session.RouteIndex < 0)
        {
            session.RouteIndex = _targets.Count;
            _targets.Add(found);
            return;
        }

        var earlier = _targets[session.RouteIndex];
        _targets[session.RouteIndex] = new Target(
            session,
            earlier.QoS > found.QoS ? earlier.QoS : found.QoS,
            earlier.Retain || found.Retain,
            found.Ids is null ? earlier.Ids : [.. earlier.Ids ?? [], .. found.Ids]);
    }

    private static Target TargetOf(Subscription subscription, MqttMessage message) => new(
        subscription.Session,
        Lower(message.QoS, subscription.Options.MaximumQoS),
        message.Retain && subscription.Options.RetainAsPublished,
        subscription.Ids,
        subscription.Group);

    /// <summary>$SYS, too, is told anew after each start.</summary>
    private Journal? JournalFor(string topic) => topic.StartsWith('$') || isToldAnew(topic) ? null : Journal;

    private StoredMessage? Retain(MqttMessage message, Session? publisher, TimeSpan? expiresAt, Turn turn)
    {
        var journal = JournalFor(message.Topic);
        if (message.Payload.IsEmpty)
        {
            var kept = Retained.StoredOf(message.Topic);
            if (journal is not null ? Retained.Contains(message.Topic) : kept is not null) Journal?.ClearRetained(message.Topic, kept);
            Retained.Remove(message.Topic);
            return null;
        }

        // Of a client's PUBLISH this was asked before, of a will it was not.
        var accounts = publisher?.Client.Principal.AccountArray ?? [];
        if (Retained.FullFor(message, accounts) is { } full)
        {
            full.Meet(QuotaKind.Retained);
            counters.MessagesDropped++;
            return null;
        }

        var stored = journal?.Store(message, expiresAt, turn.Now);
        var replaced = journal is null ? null : Retained.StoredOf(message.Topic);
        if (!Retained.Set(message, expiresAt, stored, publisher?.ClientId, accounts))
        {
            counters.Hit(BrokerLimit.Retained);
            counters.MessagesDropped++;
            return null;
        }

        if (stored is not null) journal!.Retain(stored, replaced);
        return stored;
    }

    /// <param name="stored">Made for the first durable receiver and shared by all.</param>
    private static void Deliver(in Target target, MqttMessage message, TimeSpan? expiresAt, ref StoredMessage? stored, Turn turn)
    {
        var session = target.Session;
        session.RouteIndex = -1;
        // A bridge keeps the order of a topic whatever the QoS, so for it QoS 0 goes by way of the queue too.
        if (target.QoS == QoS.AtMostOnce && session.Outbound.Policy is null)
        {
            var publish = new OutgoingPublish
            {
                Message = message,
                Retain = target.Retain,
                ExpirySeconds = message.MessageExpirySeconds,
                SubscriptionIds = target.Ids,
            };
            session.Outbound.TrySendNow(publish, session.Link);
            return;
        }

        var outbound = new OutboundMessage(message, target.QoS)
        {
            Retain = target.Retain,
            SubscriptionIds = target.Ids,
            ExpiresAt = expiresAt,
            Group = target.Group,
            Stored = stored,
        };
        session.Deliver(outbound, turn.Now, turn.Settled);
        stored ??= outbound.Stored;
    }

    private readonly record struct Target(Session Session, QoS QoS, bool Retain, uint[]? Ids, SharedGroup? Group = null);
}
