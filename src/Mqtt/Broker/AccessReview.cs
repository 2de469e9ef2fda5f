using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// Makes changed access rules hold for sessions that are there: who lost a right loses what came of it, and nobody else notices. Works inside turns.
/// </summary>
internal static class AccessReview
{
    /// <summary>Asks who the session's client is now, and acts on it.</summary>
    public static void Apply(Session session, MqttBroker broker, Turn turn, ReviewSummary summary)
    {
        // The broker's own.
        if (BridgeSession.Owns(session.ClientId)) return;
        var before = session.Client.Principal;
        var review = broker.Options.Access.Review(before, session.ClientId);
        if (review.Principal is { } principal)
        {
            if (ReferenceEquals(principal, before)) return;
            Become(session, principal, broker, turn, summary);
            // Its quotas may be wider now.
            session.Pump(turn.Now, turn.Settled);
            (session.Link?.Output as BrokerConnection)?.Resume();
            return;
        }

        RemoveWill(session, broker, summary);
        if (session.Link is { } link)
        {
            MqttLog.RightsLost(broker.Logger, session.ClientId, before.Name);
            summary.Disconnected++;
            if (review.SessionEnds) session.Expiry = TimeSpan.Zero;
            link.Output.Abort(ReasonCode.NotAuthorized);
        }
        else if (review.SessionEnds)
        {
            summary.SessionsEnded++;
            broker.Core.End(session, turn);
        }
    }

    /// <summary>The session's client has other rights, or is somebody else: what it may no longer have is taken back.</summary>
    public static void Become(Session session, Principal principal, MqttBroker broker, Turn turn, ReviewSummary summary)
    {
        session.Become(principal);
        var access = broker.Options.Access;
        if (session.Will is { Message: var will } && !MayPublish(access, principal, will)) RemoveWill(session, broker, summary);
        List<Subscription>? lost = null;
        foreach (var subscription in session.Subscriptions.Values)
        {
            if (!access.MaySubscribe(principal, subscription.Text)) (lost ??= []).Add(subscription);
        }

        if (lost is null) return;
        foreach (var subscription in lost) Remove(subscription, broker, turn);
        summary.SubscriptionsRemoved += lost.Count;
        // What came by way of them and waits is not given any more; what is in flight the client has already.
        session.Outbound.Discard(
            message => lost.Exists(one => TopicName.Matches(one.Filter, message.Topic))
                && !session.Subscriptions.Values.Any(one => TopicName.Matches(one.Filter, message.Topic)),
            turn.Settled);
    }

    public static bool MayPublish(IBrokerAccess access, Principal principal, MqttMessage message) =>
        access.MayPublish(principal, message.Topic) && (!message.Retain || access.MayRetain(principal, message.Topic));

    private static void Remove(Subscription subscription, MqttBroker broker, Turn turn)
    {
        var session = subscription.Session;
        var filter = subscription.Text;
        MqttLog.SubscriptionLost(broker.Logger, session.ClientId, session.Client.Principal.Name, filter);
        if (!subscription.Elsewhere) broker.Core.Router.Remove(subscription);
        session.Remove(subscription);
        session.Journal?.Unsubscribed(filter);
        if (broker.Options.Tap is not { } tap) return;
        var client = session.Client;
        turn.Call(() => tap.OnUnsubscribe(client, filter));
    }

    private static void RemoveWill(Session session, MqttBroker broker, ReviewSummary summary)
    {
        if (session.Will is not { } will) return;
        MqttLog.WillLost(broker.Logger, session.ClientId, session.Client.Principal.Name, will.Message.Topic);
        session.Will = null;
        session.WillDueAt = null;
        session.Journal?.WillCleared();
        summary.WillsRemoved++;
    }
}
