using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Sessions;

/// <summary>
/// What the broker remembers of one client id: subscriptions, both message windows, will and expiry. It outlives connections and
/// has at most one of them at a time (<see cref="Link"/>). No clock, no socket, no lock.
/// </summary>
internal sealed class Session(ClientInfo client, BrokerLimits limits, BrokerCounters counters)
{
    private static readonly Dictionary<string, Subscription> None = [];

    private Dictionary<string, Subscription> _subscriptions = None;
    private LastWill? _will;

    public string ClientId => Client.ClientId;

    /// <summary>Who used it last.</summary>
    public ClientInfo Client { get; private set; } = client;

    public SessionLink? Link { get; private set; }

    public Outbound Outbound { get; } = new(limits, counters);

    public Inbound Inbound { get; } = new(limits);

    public IReadOnlyDictionary<string, Subscription> Subscriptions => _subscriptions;

    /// <summary>Set while the session is kept across restarts.</summary>
    public SessionJournal? Journal
    {
        get => Outbound.Journal;
        set => Outbound.Journal = Inbound.Journal = value;
    }

    /// <summary>How long it outlives a connection; zero: not at all.</summary>
    public TimeSpan Expiry { get; set; }

    /// <summary>Set while the client is away.</summary>
    public TimeSpan? ExpiresAt { get; private set; }

    /// <summary>Set while connected with a will, and until a delayed will is due.</summary>
    public LastWill? Will
    {
        get => _will;
        set
        {
            counters.KeptBytes += (value?.Message.QueuedBytes ?? 0) - (_will?.Message.QueuedBytes ?? 0);
            _will = value;
        }
    }

    public TimeSpan? WillDueAt { get; set; }

    /// <summary>Scratch of the router: position among the targets of the message it is routing.</summary>
    public int RouteIndex { get; set; } = -1;

    public void Attach(ClientInfo client, SessionLink link)
    {
        Client = client;
        Link = link;
        ExpiresAt = null;
        WillDueAt = null;
    }

    /// <summary>The client has other rights, or is somebody else.</summary>
    public void Become(Principal principal) => Client = Client with { Principal = principal };

    public void Detach(TimeSpan now)
    {
        Link = null;
        ExpiresAt = now + Expiry;
        Inbound.Detach();
    }

    /// <summary>As it was when the broker ended, without its client.</summary>
    public void Restore(TimeSpan expiresAt, TimeSpan? willDueAt)
    {
        ExpiresAt = expiresAt;
        WillDueAt = willDueAt;
    }

    /// <summary>It is not to be kept across restarts any more.</summary>
    public void LeaveJournal()
    {
        Journal?.Closed();
        Outbound.Forsake();
        Journal = null;
    }

    public void Deliver(OutboundMessage message, TimeSpan now, List<Settlement> settled) => Outbound.Deliver(message, Link, now, settled);

    public void Pump(TimeSpan now, List<Settlement> settled)
    {
        if (Link is { } link) Outbound.Pump(link, now, settled);
    }

    public void Add(Subscription subscription)
    {
        if (ReferenceEquals(_subscriptions, None)) _subscriptions = new Dictionary<string, Subscription>(1, StringComparer.Ordinal);
        _subscriptions.Add(subscription.Text, subscription);
    }

    public void Remove(Subscription subscription) => _subscriptions.Remove(subscription.Text);

    public Subscription? Find(string text) => _subscriptions.GetValueOrDefault(text);
}
