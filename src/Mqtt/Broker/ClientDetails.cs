using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>Everything a person may want to know of one session at one moment.</summary>
/// <param name="WillTopic">Where its will goes; null: it has none.</param>
public sealed record ClientDetails(ClientSnapshot Client, IReadOnlyList<SubscriptionSnapshot> Subscriptions, string? WillTopic)
{
    /// <summary>Inside a turn.</summary>
    internal static ClientDetails Of(Session session, TimeSpan now)
    {
        var subscriptions = new List<SubscriptionSnapshot>(session.Subscriptions.Count);
        foreach (var one in session.Subscriptions.Values) subscriptions.Add(new SubscriptionSnapshot(one.Text, one.Options, one.Ids is [var id, ..] ? id : null));
        return new ClientDetails(ClientSnapshot.Of(session, now), subscriptions, session.Will?.Message.Topic);
    }
}

/// <param name="Filter">As the client wrote it, with <c>$share</c>.</param>
/// <param name="Id">The subscription identifier; null for none.</param>
public sealed record SubscriptionSnapshot(string Filter, SubscriptionOptions Options, uint? Id);
