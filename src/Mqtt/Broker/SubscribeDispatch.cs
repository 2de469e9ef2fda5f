using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>SUBSCRIBE and UNSUBSCRIBE of an accepted client (MQTT 5 sections 3.8 and 3.10).</summary>
internal static class SubscribeDispatch
{
    public static void Apply(SubscribePacket packet, PacketDispatch dispatch, IClientConnection connection, Turn turn)
    {
        var verdicts = Judge(packet, dispatch, connection.Broker, turn);
        if (!ReferenceEquals(dispatch.Session.Link, dispatch.Link)) return;

        var reasons = new ReasonCode[packet.Entries.Count];
        // With the options of its entry: a later one of the same packet may replace them [MQTT-3.8.4-5].
        var retained = new List<(Subscription Subscription, SubscriptionOptions Options)>();
        for (var i = 0; i < reasons.Length; i++)
        {
            reasons[i] = verdicts[i].Reason;
            if (reasons[i].IsFailure()) continue;
            var (filter, options) = packet.Entries[i];
            reasons[i] = Grant(filter, options, packet.Properties.SubscriptionIds, verdicts[i].Elsewhere, dispatch, connection.Broker, retained);
        }

        connection.Write(new SubAckPacket(PacketType.SubAck) { PacketId = packet.PacketId, Reasons = reasons, Properties = Explain(reasons, connection) });
        foreach (var (subscription, options) in retained)
        {
            connection.Broker.Core.Router.SendRetained(subscription, options, turn);
            if (SysTopics.Owns(subscription.Filter)) connection.Broker.Greet(subscription, turn);
        }
    }

    public static void Apply(UnsubscribePacket packet, PacketDispatch dispatch, IClientConnection connection, Turn turn)
    {
        var core = connection.Broker.Core;
        var tap = connection.Broker.Options.Tap;
        var reasons = new ReasonCode[packet.Filters.Count];
        for (var i = 0; i < reasons.Length; i++)
        {
            var filter = packet.Filters[i];
            if (dispatch.Session.Find(filter) is not { } subscription)
            {
                reasons[i] = SharedFilter.TryParse(filter, out _) ? ReasonCode.NoSubscriptionExisted : ReasonCode.TopicFilterInvalid;
                continue;
            }

            if (!subscription.Elsewhere) core.Router.Remove(subscription);
            dispatch.Session.Remove(subscription);
            dispatch.Session.Journal?.Unsubscribed(filter);
            if (tap is not null) turn.Call(() => tap.OnUnsubscribe(dispatch.Client, filter));
        }

        connection.Write(new SubAckPacket(PacketType.UnsubAck) { PacketId = packet.PacketId, Reasons = reasons });
    }

    /// <summary>Says more about a limit, where the client wants to hear it [MQTT-3.1.2-29].</summary>
    private static PacketProperties Explain(ReasonCode[] reasons, IClientConnection connection)
    {
        if (!connection.TakesReasonStrings) return PacketProperties.Empty;
        var limits = connection.Broker.Options.Limits;
        if (Array.IndexOf(reasons, ReasonCode.TopicFilterInvalid) >= 0)
        {
            return new PacketProperties
            {
                ReasonString = $"A filter has more than {limits.TopicCharsMax} characters or {limits.TopicLevelsMax} levels.",
            };
        }

        return Array.IndexOf(reasons, ReasonCode.QuotaExceeded) >= 0
            ? new PacketProperties { ReasonString = $"A client may have {limits.SubscriptionsPerClientMax} subscriptions, and its user what a quota says." }
            : PacketProperties.Empty;
    }

    /// <summary>Asks the access rules and the tap, for which the lock is dropped.</summary>
    private static (ReasonCode Reason, bool Elsewhere)[] Judge(
        SubscribePacket packet, PacketDispatch dispatch, MqttBroker broker, Turn turn)
    {
        var options = broker.Options;
        var verdicts = new (ReasonCode Reason, bool Elsewhere)[packet.Entries.Count];
        var principal = dispatch.Client.Principal;
        turn.Suspend();
        for (var i = 0; i < verdicts.Length; i++)
        {
            var (filter, wanted) = packet.Entries[i];
            if (!SharedFilter.TryParse(filter, out _))
            {
                verdicts[i].Reason = ReasonCode.TopicFilterInvalid;
            }
            else if (!PacketDispatch.TopicFits(filter, options.Limits))
            {
                broker.Core.Counters.Hit(BrokerLimit.Topic);
                verdicts[i].Reason = ReasonCode.TopicFilterInvalid;
            }
            else if (!options.Access.MaySubscribe(principal, filter))
            {
                verdicts[i].Reason = ReasonCode.NotAuthorized;
            }
            else if (options.Tap is { } tap)
            {
                verdicts[i].Elsewhere = tap.OnSubscribe(dispatch.Client, filter, wanted) == SubscribeVerdict.Elsewhere;
            }
        }

        turn.Enter();
        // The rules changed meanwhile: the review has not seen these.
        if (!ReferenceEquals(principal, dispatch.Client.Principal)) JudgeAgain(packet, verdicts, dispatch.Client.Principal, options.Access);
        return verdicts;
    }

    private static void JudgeAgain(
        SubscribePacket packet, (ReasonCode Reason, bool Elsewhere)[] verdicts, Principal principal, IBrokerAccess access)
    {
        for (var i = 0; i < verdicts.Length; i++)
        {
            if (!verdicts[i].Reason.IsFailure() && !access.MaySubscribe(principal, packet.Entries[i].Filter)) verdicts[i].Reason = ReasonCode.NotAuthorized;
        }
    }

    /// <summary>Why there can be no such subscription; null when there can.</summary>
    private static BrokerLimit? WhatHinders(string filter, bool isNew, bool elsewhere, Session session, MqttBroker broker)
    {
        var limits = broker.Options.Limits;
        if (isNew && session.Subscriptions.Count >= limits.SubscriptionsPerClientMax) return BrokerLimit.Subscriptions;
        if (isNew && broker.Core.Router.SubscriptionBytes + Router.SubscriptionBytesOf(filter) > limits.SubscriptionBytesMax) return BrokerLimit.SubscriptionBytes;
        return !elsewhere && session.Journal is { IsFull: true } ? BrokerLimit.Disk : null;
    }

    private static ReasonCode Grant(
        string filter,
        SubscriptionOptions options,
        uint[]? ids,
        bool elsewhere,
        PacketDispatch dispatch,
        MqttBroker broker,
        List<(Subscription Subscription, SubscriptionOptions Options)> retained)
    {
        if (dispatch.IsBridge) options = options with { NoLocal = true, RetainAsPublished = true };
        var session = dispatch.Session;
        var router = broker.Core.Router;
        if (!SharedFilter.TryParse(filter, out var parsed)) return ReasonCode.TopicFilterInvalid;
        var existing = session.Find(filter);
        if (WhatHinders(filter, existing is null, elsewhere, session, broker) is { } limit)
        {
            broker.Core.Counters.Hit(limit);
            return ReasonCode.QuotaExceeded;
        }

        if (existing is null && session.Client.Principal.AccountArray.FullForSubscription() is { } full)
        {
            full.Meet(QuotaKind.Subscriptions);
            return ReasonCode.QuotaExceeded;
        }

        if (existing is { Elsewhere: false }) router.Remove(existing);
        var subscription = existing ?? new Subscription(session, filter, parsed.Filter);
        subscription.Options = options;
        subscription.Ids = ids;
        subscription.Elsewhere = elsewhere;
        if (existing is null) session.Add(subscription);
        // Whoever serves it elsewhere does not know of it after a restart: then the client has to subscribe again, to all it had.
        if (elsewhere) session.LeaveJournal();
        else session.Journal?.Subscribed(subscription);
        if (!elsewhere)
        {
            router.Add(subscription, parsed.Group);
            var wantsRetained = options.RetainHandling == RetainHandling.SendAlways
                || (options.RetainHandling == RetainHandling.SendIfNewSubscription && existing is null);
            if (wantsRetained && parsed.Group is null) retained.Add((subscription, options));
        }

        return (ReasonCode)options.MaximumQoS;
    }
}
