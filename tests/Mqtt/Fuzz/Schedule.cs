using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Tests.Fuzz;

/// <summary>A broker, some clients that behave and misbehave, and a clock: all from one seed, on one thread.</summary>
internal sealed class Schedule : IBrokerAccess
{
    private const int Clients = 6;

    /// <summary>Generous for a busy machine; a broker that is stuck is stuck for ever.</summary>
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(30);

    private readonly Random _random;
    private readonly ManualTime _time = new();
    private readonly BrokerOptions _options;
    private readonly MqttBroker _broker;
    private readonly PacketMaker _maker;
    private readonly VirtualClient?[] _clients = new VirtualClient?[Clients];
    private byte[] _last = [0xC0, 0];

    public Schedule(int seed)
    {
        _random = new Random(seed);
        _maker = new PacketMaker(_random);
        _options = new BrokerOptions
        {
            RandomSeed = seed,
            TimeProvider = _time,
            Access = this,
            Limits = new BrokerLimits
            {
                SessionsMax = 12, PacketBytesMax = 4096, ConnectPacketBytesMax = 512, SubscriptionsPerClientMax = 10, InFlightMax = 6, ReceiveMax = 6,
                QueuedMessagesMax = 40, QueuedBytesMax = 20_000, OutboundBytesMax = 8000, TopicAliasMax = 4, RetainedMessagesMax = 8,
                SessionExpiryMax = TimeSpan.FromSeconds(300), TopicLevelsMax = 6,
            },
        };
        _broker = new MqttBroker(_options);
    }

    /// <summary>Packets sent so far, mutated ones among them.</summary>
    public int Inputs { get; private set; }

    /// <exception cref="InvalidOperationException">Something does not hold.</exception>
    public void Run(int inputs)
    {
        while (Inputs < inputs) Step();
        foreach (var client in _clients) client?.Wire.Resume();
        Probe();
        End();
    }

    public ValueTask<ConnectVerdict> AuthenticateAsync(ConnectAttempt attempt, CancellationToken cancellation) =>
        new(ConnectVerdict.Accept(new Principal(attempt.UserName ?? "anonymous")));

    public bool MayPublish(Principal principal, string topic) => !topic.StartsWith("no/", StringComparison.Ordinal);

    public bool MaySubscribe(Principal principal, string filter) => !filter.StartsWith("no/", StringComparison.Ordinal);

    private void Step()
    {
        var slot = _random.Next(Clients);
        if (_clients[slot] is not { HasEnded: false } client)
        {
            _clients[slot] = client = Open();
            Send(client, Spoil(Bytes.Of(_maker.Connect(), ProtocolVersion.V5), oneIn: 12));
        }
        else
        {
            Act(client);
        }

        foreach (var one in _clients) one?.Check();
        Check();
    }

    private void Act(VirtualClient client)
    {
        switch (_random.Next(60))
        {
            case 0: client.Wire.EndOfStream(); break;
            case 1: client.Wire.Break(); break;
            case 2: client.Wire.Stall(); return;
            case 3 or 4: client.Wire.Resume(); break;
            case 5: _time.Advance(TimeSpan.FromSeconds(_random.Next(40))); break;
            case 6: Send(client, Bytes.Of(_maker.Connect(), ProtocolVersion.V5)); return;
            default:
                Send(client, Batch(client));
                return;
        }

        Settle(client);
    }

    private byte[] Batch(VirtualClient client)
    {
        var bytes = new List<byte>();
        for (var left = _random.Next(3) == 0 ? _random.Next(2, 9) : 1; left > 0; left--)
        {
            var packet = _maker.Next(client.Version, client.Owed);
            if (packet is AckPacket ack) client.Owed.Remove(ack);
            bytes.AddRange(Spoil(Bytes.Of(packet, client.Version), oneIn: 20));
        }

        return [.. bytes];
    }

    private byte[] Spoil(byte[] packet, int oneIn)
    {
        Inputs++;
        var spoilt = _random.Next(oneIn) == 0 ? Mutation.Of(packet, _last, _random) : packet;
        if (packet.Length > 0) _last = packet;
        return spoilt;
    }

    private VirtualClient Open()
    {
        var wire = new MemoryWire();
        _broker.Serve(wire, "fuzz", trusted: false);
        return new VirtualClient(wire, _options.Limits);
    }

    /// <summary>In pieces now and then.</summary>
    private void Send(VirtualClient client, byte[] bytes)
    {
        if (bytes.Length == 0) return;
        client.WillSend(bytes);
        var cut = _random.Next(4) == 0 ? _random.Next(bytes.Length) : 0;
        Settle(client);
        if (cut > 0)
        {
            client.Wire.Feed(bytes.AsSpan(0, cut));
            Settle(client);
        }

        client.Wire.Feed(bytes.AsSpan(cut));
        Settle(client);
    }

    /// <summary>Until the broker waits for this client, or is done with it.</summary>
    private void Settle(VirtualClient client)
    {
        var spin = default(SpinWait);
        var started = TimeProvider.System.GetTimestamp();
        while (!client.Wire.IsIdle)
        {
            if (client.Wire.IsBlocked)
            {
                // It is owed more than it may be and does not read: the broker does not read from it either.
                client.Wire.Resume();
                continue;
            }

            spin.SpinOnce();
            if (TimeProvider.System.GetElapsedTime(started) > HangLimit) throw new InvalidOperationException("the broker hangs");
        }

        if (_broker.Completion.IsFaulted) throw new InvalidOperationException("a bug", _broker.Completion.Exception);
    }

    /// <summary>What holds between any two steps.</summary>
    private void Check()
    {
        using var turn = _broker.Core.Enter();
        var limits = _options.Limits;
        var routes = new HashSet<object>();
        var shared = 0;
        foreach (var session in _broker.Core.Sessions.Values)
        {
            foreach (var subscription in session.Subscriptions.Values)
            {
                routes.Add((object?)subscription.Group ?? subscription);
                if (subscription.Group is not null) shared++;
            }

            Require(session.Outbound.InFlight <= limits.InFlightMax, "more in flight than the limit");
            Require(session.Outbound.QueuedMessages <= limits.QueuedMessagesMax, "more queued than the limit");
            Require(session.Outbound.QueuedBytes <= limits.QueuedBytesMax && session.Outbound.QueuedBytes >= 0, "queued bytes are wrong");
            Require(session.Outbound.QueuedMessages > 0 || session.Outbound.QueuedBytes == 0, "bytes of an empty queue");
            Require(session.Subscriptions.Count <= limits.SubscriptionsPerClientMax, "too many subscriptions");
        }

        Require(_broker.Core.Sessions.Count <= limits.SessionsMax, "too many sessions");
        Require(_broker.Core.Router.Subscriptions == routes.Count, "routes without their subscriptions");
        Require(_broker.Core.Router.SharedSubscriptions == shared, "members of groups without their subscriptions");
    }

    /// <summary>A well-behaved client is served after all that.</summary>
    private void Probe()
    {
        // Sessions of earlier clients may have used up what there may be.
        _time.Advance(TimeSpan.FromSeconds(400));
        var client = Open();
        Send(client, Bytes.Of(Messages.Connect("probe"), ProtocolVersion.V5));
        var subscribe = new SubscribePacket { PacketId = 1, Entries = [new SubscribeEntry("probe", new(QoS.ExactlyOnce))] };
        Send(client, Bytes.Of(subscribe, ProtocolVersion.V5));
        Send(client, Bytes.Of(Messages.Publish(Messages.Message("probe", qos: QoS.ExactlyOnce), 2), ProtocolVersion.V5));
        Send(client, Bytes.Of(Messages.Ack(PacketType.PubRel, 2), ProtocolVersion.V5));
        client.Check();
        Require(client.Owed.Count == 1, "a well-behaved client is not served");
        client.Wire.EndOfStream();
        Settle(client);
    }

    /// <summary>With the last client and the last expiry everything is gone.</summary>
    private void End()
    {
        foreach (var client in _clients)
        {
            if (client is null) continue;
            client.Wire.EndOfStream();
            Settle(client);
            client.Check();
        }

        for (var i = 0; i < 2; i++) _time.Advance(TimeSpan.FromSeconds(400));
        var left = _broker.Statistics;
        Require(left.Sessions == 0, $"{left.Sessions} sessions are left");
        Require(left.Subscriptions == 0, $"{left.Subscriptions} subscriptions are left");
        var stopping = _broker.StopAsync();
        if (!stopping.Wait(HangLimit)) throw new InvalidOperationException("the broker does not stop");
        if (_broker.Completion.IsFaulted) throw new InvalidOperationException("a bug", _broker.Completion.Exception);
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
