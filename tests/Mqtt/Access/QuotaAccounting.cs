using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Tests.Fuzz;
using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Tests.Access;

/// <summary>
/// Users with quotas who do all that is charged, in an order that comes from one seed. After each step what every account is charged with is what
/// the broker holds for it, and at the end nothing.
/// </summary>
internal sealed class QuotaAccounting : IBrokerAccess, IDisposable
{
    private const int Connections = 6;
    private static readonly string[] Names = ["a", "b", "c"];
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(30);

    private readonly Random _random;
    private readonly ManualTime _time = new();
    private readonly UserAccess _users = new(UserDirectory.Empty);
    private readonly HashSet<QuotaAccount> _accounts = [];
    private readonly MqttBroker _broker;
    private readonly BrokerOptions _options;
    private readonly VirtualClient?[] _clients = new VirtualClient?[Connections];
    private readonly List<VirtualClient> _leaving = [];
    private ushort _packetId;

    public QuotaAccounting(int seed)
    {
        _random = new Random(seed);
        _options = new BrokerOptions { RandomSeed = seed, TimeProvider = _time, Access = this };
        _options.Limits.SessionExpiryMax = TimeSpan.FromSeconds(100);
        _broker = new MqttBroker(_options);
        Change();
    }

    /// <summary>How often quotas were met.</summary>
    public long Met => _accounts.Sum(account => Enum.GetValues<QuotaKind>().Sum(account.Met));

    /// <exception cref="InvalidOperationException">Something does not add up.</exception>
    public void Run(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var what = Step();
            Settle();
            Check($"step {i}: {what}");
        }

        End();
    }

    public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
        new(_users.Admit(attempt.UserName!, attempt.ClientId) is { } principal ? ConnectVerdict.Accept(principal) : ConnectVerdict.Refuse(ReasonCode.NotAuthorized));

    public bool MayPublish(Principal principal, string topic) => _users.MayPublish(principal, topic);

    public bool MaySubscribe(Principal principal, string filter) => _users.MaySubscribe(principal, filter);

    /// <summary>So that sessions change hands.</summary>
    public bool MayInherit(Principal principal, string owner) => true;

    public PrincipalReview Review(Principal principal, string clientId) => _users.Review(principal, clientId);

    public void Dispose() => _users.Dispose();

    private string Step()
    {
        var slot = _random.Next(Connections);
        if (_clients[slot] is not { HasEnded: false } client || !client.Wire.IsIdle || client.Wire.Disposed)
        {
            Connect(slot);
            return "connect";
        }

        switch (_random.Next(40))
        {
            case 0: client.Wire.EndOfStream(); return "end of stream";
            case 1: client.Wire.Break(); return "reset";
            case 2: Send(client, new ReasonPacket(PacketType.Disconnect)); return "disconnect";
            case 3: _time.Advance(TimeSpan.FromSeconds(_random.Next(40))); return "time";
            case 4: _broker.EndSession(ClientId()); return "end of session";
            case 5: Change(); return "review";
            case 6: Connect(slot); return "connect over another";
            case < 14: Subscribe(client); return "subscribe";
            case < 17: Send(client, new UnsubscribePacket { PacketId = NextId(), Filters = [Filter()] }); return "unsubscribe";
            case < 26: Acknowledge(client); return "acknowledge";
            default: Publish(client); return "publish";
        }
    }

    private void Connect(int slot)
    {
        if (_clients[slot] is { } before) _leaving.Add(before);
        var wire = new MemoryWire();
        _broker.Serve(wire, "accounting", trusted: false);
        var client = _clients[slot] = new VirtualClient(wire, _options.Limits);
        var expiry = _random.Next(3) == 0 ? 0u : (uint)_random.Next(200);
        Settle();
        Send(client, new ConnectPacket
        {
            Version = _random.Next(4) == 0 ? ProtocolVersion.V311 : ProtocolVersion.V5,
            ClientId = ClientId(),
            CleanStart = _random.Next(3) == 0,
            UserName = Names[_random.Next(Names.Length)],
            Will = _random.Next(4) == 0 ? new LastWill(Message(), (uint)_random.Next(3) * 10) : null,
            Properties = new PacketProperties { SessionExpirySeconds = expiry, ReceiveMaximum = (ushort)_random.Next(1, 4) },
        });
    }

    private void Subscribe(VirtualClient client)
    {
        var entries = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => new SubscribeEntry(Filter(), new SubscriptionOptions((QoS)_random.Next(3)))).ToArray();
        Send(client, new SubscribePacket { PacketId = NextId(), Entries = entries });
    }

    private void Publish(VirtualClient client)
    {
        for (var left = _random.Next(1, 5); left > 0; left--)
        {
            var message = Message();
            var id = message.QoS == QoS.AtMostOnce ? (ushort)0 : NextId();
            Send(client, Messages.Publish(message, id));
            if (message.QoS == QoS.ExactlyOnce) Send(client, Messages.Ack(PacketType.PubRel, id));
        }
    }

    private void Acknowledge(VirtualClient client)
    {
        for (var left = _random.Next(1, 4); left > 0 && client.Owed.Count > 0; left--)
        {
            var ack = client.Owed[0];
            client.Owed.RemoveAt(0);
            Send(client, ack);
        }
    }

    /// <summary>Other quotas, tenants, rules, and now and then somebody who is not there any more.</summary>
    private void Change()
    {
        Tenant[] tenants = [.. new[] { "t", "u" }.Select(name => new Tenant(name) { Quotas = Some() })];
        var users = Names.Where(_ => _random.Next(12) > 0).Select(name => new User(name)
        {
            Tenant = _random.Next(3) switch { 0 => null, 1 => "t", _ => "u" },
            Quotas = Some(),
            IsEnabled = _random.Next(12) > 0,
            Rules = _random.Next(3) == 0 ? Users.Rules("allow read,write x/#", "allow retain #") : [TopicRule.AllowAll],
        });
        _users.Replace(new UserDirectory([.. users], tenants));
        _accounts.UnionWith(_users.Directory.Users.Select(_users.AccountOf).OfType<QuotaAccount>());
        _accounts.UnionWith(tenants.Select(_users.AccountOf).OfType<QuotaAccount>());
        Check("before the review");
        _broker.Review();
    }

    private Quotas Some() => new()
    {
        ConnectionsMax = Up(4), SubscriptionsMax = Up(8), InFlightMax = Up(3), QueuedMessagesMax = Up(12), QueuedBytesMax = Up(12) * 500L,
        RetainedMessagesMax = Up(5), RetainedBytesMax = Up(5) * 1000L, PacketBytesMax = Up(20) * 100,
    };

    private int? Up(int most) => _random.Next(3) == 0 ? null : _random.Next(1, most);

    private string ClientId() => $"id{_random.Next(5)}";

    private string Topic() => $"{(_random.Next(2) == 0 ? "x" : "y")}/{_random.Next(4)}";

    private string Filter() => _random.Next(4) switch { 0 => "#", 1 => $"$share/g/{Topic()}", 2 => "x/+", _ => Topic() };

    private MqttMessage Message() => Messages.Message(
        Topic(), new string('p', _random.Next(6) * 100), (QoS)_random.Next(3), retain: _random.Next(2) == 0) with
    {
        MessageExpirySeconds = _random.Next(4) == 0 ? 30u : null,
    };

    private ushort NextId() => ++_packetId == 0 ? ++_packetId : _packetId;

    private void Send(VirtualClient client, Packet packet)
    {
        if (client.HasEnded || client.Wire.Disposed) return;
        var version = packet is ConnectPacket connect ? connect.Version : client.Version;
        var bytes = Bytes.Of(packet, version);
        client.WillSend(bytes);
        client.Wire.Feed(bytes);
        Settle();
        foreach (var one in _clients) one?.Check();
    }

    /// <summary>Until the broker waits for every client, or is done with it.</summary>
    private void Settle()
    {
        var started = TimeProvider.System.GetTimestamp();
        var spin = default(SpinWait);
        while (!_clients.All(client => client?.Wire.IsIdle != false) || !_leaving.TrueForAll(client => client.Wire.IsIdle))
        {
            spin.SpinOnce();
            if (TimeProvider.System.GetElapsedTime(started) > HangLimit) throw new InvalidOperationException("the broker hangs");
        }

        if (_broker.Completion.IsFaulted) throw new InvalidOperationException("a bug", _broker.Completion.Exception);
    }

    private void Check(string when)
    {
        using var turn = _broker.Core.Enter();
        var counted = _accounts.ToDictionary(account => account, _ => default(QuotaUsage));
        foreach (var session in _broker.Core.Sessions.Values)
        {
            var outbound = session.Outbound;
            var use = new QuotaUsage(session.Link is null ? 0 : 1, session.Subscriptions.Count, outbound.QueuedMessages, outbound.QueuedBytes);
            foreach (var account in session.Client.Principal.AccountArray) counted[account] = Sum(counted[account], use);
        }

        foreach (var retained in Retained())
        {
            var use = new QuotaUsage(RetainedMessages: 1, RetainedBytes: RetainedStore.BytesOf(retained.Message));
            foreach (var account in retained.Accounts) counted[account] = Sum(counted[account], use);
        }

        foreach (var (account, use) in counted)
        {
            if (account.Usage != use) throw new InvalidOperationException($"{when}: {account.Name} is charged with {account.Usage}, and has {use}");
        }
    }

    /// <summary>Those that have expired and are not forgotten yet as well.</summary>
    private List<RetainedMessage> Retained()
    {
        var retained = new List<RetainedMessage>();
        _broker.Core.Router.Retained.Match("#", TimeSpan.MinValue, retained);
        return retained;
    }

    private static QuotaUsage Sum(QuotaUsage one, QuotaUsage other) => new(
        one.Connections + other.Connections, one.Subscriptions + other.Subscriptions, one.QueuedMessages + other.QueuedMessages,
        one.QueuedBytes + other.QueuedBytes, one.RetainedMessages + other.RetainedMessages, one.RetainedBytes + other.RetainedBytes);

    private void End()
    {
        foreach (var client in _clients.Concat(_leaving)) client?.Wire.EndOfStream();
        Settle();
        for (var i = 0; i < 4; i++) _time.AdvanceSeconds(60);
        foreach (var retained in Retained()) _broker.Publish(Messages.Message(retained.Message.Topic, string.Empty, retain: true));
        foreach (var account in _accounts)
        {
            if (account.Usage != default) throw new InvalidOperationException($"at the end {account.Name} is charged with {account.Usage}");
        }

        if (!_broker.StopAsync().Wait(HangLimit)) throw new InvalidOperationException("the broker does not stop");
    }
}
