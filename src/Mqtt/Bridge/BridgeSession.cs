using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// The broker's side of a bridge: a session like a client's, with the outgoing topics as its subscriptions and the broker's journal as its queue on
/// disk. Its connection is one the broker opens. Inside turns.
/// </summary>
internal sealed class BridgeSession
{
    /// <summary>No client may have an id that begins like that.</summary>
    private const string IdPrefix = "$bridge/";

    /// <summary>The session waits as long as the bridge is configured.</summary>
    private static readonly TimeSpan Forever = TimeSpan.FromSeconds(uint.MaxValue);

    private readonly MqttBroker _broker;
    private readonly TopicMap _map;
    private readonly List<Subscription> _fresh = [];

    private BridgeSession(MqttBroker broker, Session session, TopicMap map)
    {
        _broker = broker;
        _map = map;
        Session = session;
    }

    public Session Session { get; }

    public static string IdOf(string name) => IdPrefix + name;

    public static bool Owns(string clientId) => clientId.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <summary>Takes up what was kept, or begins; null: there is no room for it now.</summary>
    /// <param name="address">Of the other broker, for people.</param>
    public static BridgeSession? Open(MqttBroker broker, BridgeOptions options, string address, TopicMap map, BridgeQueue queue, Turn turn)
    {
        var principal = new Principal($"bridge {options.Name}");
        var client = new ClientInfo(IdOf(options.Name), principal, address, Trusted: true, options.Remote?.Version ?? ProtocolVersion.V5);
        if (broker.Core.Connect(client, new SessionTerms(CleanStart: false, Forever, Will: null), turn) is not { } connected) return null;
        var ours = broker.Options.Limits;
        var limits = new BrokerLimits
        {
            QueuedMessagesMax = options.QueuedMessagesMax,
            QueuedBytesMax = options.QueuedBytesMax,
            InFlightMax = options.InFlightMax,
            OutboundBytesMax = ours.OutboundBytesMax,
        };
        connected.Session.Outbound.Govern(limits, queue);
        var session = new BridgeSession(broker, connected.Session, map);
        session.Subscribe();
        return session;
    }

    /// <summary>Sessions of bridges that are configured no more end as those of clients that stay away.</summary>
    public static void Retire(MqttBroker broker, IReadOnlySet<string> configured, Turn turn)
    {
        foreach (var session in broker.Core.Sessions.Values)
        {
            if (!Owns(session.ClientId) || configured.Contains(session.ClientId[IdPrefix.Length..])) continue;
            session.Expiry = broker.Options.Limits.SessionExpiryMax;
            session.Detach(turn.Now);
            session.Journal?.Detached(session);
            MqttLog.BridgeRetired(broker.Logger, session.ClientId[IdPrefix.Length..], session.Outbound.QueuedMessages + session.Outbound.InFlight, session.Expiry);
        }
    }

    /// <summary>Goes on over a new connection, or anew when the other side has forgotten what was agreed on.</summary>
    public void Attach(SessionLink link, bool sessionPresent, Turn turn)
    {
        Session.Attach(Session.Client, link);
        if (!sessionPresent)
        {
            Session.Inbound.Clear();
            Session.Outbound.Restart(turn.Settled);
            // Who has lost the session may have lost what was retained.
            _fresh.Clear();
            _fresh.AddRange(Session.Subscriptions.Values);
        }

        Session.Outbound.Attach(link, turn.Now, turn.Settled);
        foreach (var subscription in _fresh) _broker.Core.Router.SendRetained(subscription, subscription.Options, turn);
        _fresh.Clear();
    }

    public void Detach(SessionLink link, Turn turn)
    {
        if (ReferenceEquals(Session.Link, link)) Session.Detach(turn.Now);
    }

    /// <summary>Makes the session's subscriptions those of the configuration.</summary>
    private void Subscribe()
    {
        var wanted = _map.Out.DistinctBy(topic => topic.LocalFilter).ToDictionary(topic => topic.LocalFilter);
        foreach (var subscription in Session.Subscriptions.Values.ToArray())
        {
            if (wanted.ContainsKey(subscription.Text)) continue;
            _broker.Core.Router.Remove(subscription);
            Session.Remove(subscription);
            Session.Journal?.Unsubscribed(subscription.Text);
        }

        foreach (var (filter, topic) in wanted)
        {
            var options = new SubscriptionOptions(topic.QoS, NoLocal: true, RetainAsPublished: true);
            if (Session.Find(filter) is { } known)
            {
                known.Options = options;
                Session.Journal?.Subscribed(known);
                continue;
            }

            var subscription = new Subscription(Session, filter, filter) { Options = options };
            Session.Add(subscription);
            Session.Journal?.Subscribed(subscription);
            _broker.Core.Router.Add(subscription, null);
            _fresh.Add(subscription);
        }
    }
}
