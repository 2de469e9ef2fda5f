using EdgeFirmware.Mqtt.Access;
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

    public Outbound Outbound { get; } = new(limits, counters) { Accounts = client.Principal.AccountArray };

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

    /// <summary>What its client's accounts are charged with because of it.</summary>
    private QuotaUsage Use => new(Link is null ? 0 : 1, _subscriptions.Count, Outbound.QueuedMessages, Outbound.QueuedBytes);

    public void Attach(ClientInfo client, SessionLink link)
    {
        if (!ReferenceEquals(client.Principal, Client.Principal)) Become(client.Principal);
        Client = client;
        if (Link is null) Charge(new QuotaUsage(Connections: 1));
        Link = link;
        ExpiresAt = null;
        WillDueAt = null;
    }

    /// <summary>The client has other rights, or is somebody else. What there is moves to its accounts, whether they have room or not.</summary>
    public void Become(Principal principal)
    {
        Charge(-Use);
        Client = Client with { Principal = principal };
        Outbound.Accounts = principal.AccountArray;
        Charge(Use);
    }

    public void Detach(TimeSpan now)
    {
        if (Link is not null) Charge(new QuotaUsage(Connections: -1));
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

    /// <summary>Nothing is kept for it, or charged, any more.</summary>
    public void End(List<Settlement> settled)
    {
        Outbound.End(settled);
        Charge(new QuotaUsage(Subscriptions: -_subscriptions.Count));
        _subscriptions = None;
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
        Charge(new QuotaUsage(Subscriptions: 1));
    }

    public void Remove(Subscription subscription)
    {
        if (_subscriptions.Remove(subscription.Text)) Charge(new QuotaUsage(Subscriptions: -1));
    }

    public Subscription? Find(string text) => _subscriptions.GetValueOrDefault(text);

    private void Charge(QuotaUsage use) => Outbound.Accounts.Charge(use);
}
