using System.Net.Sockets;
using System.Net.WebSockets;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Mqtt.Durability;
using EdgeFirmware.Mqtt.Packets;
using EdgeFirmware.Mqtt.Sessions;
using EdgeFirmware.Mqtt.Topics;
using EdgeFirmware.Mqtt.Transport;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// An MQTT 3.1.1 and 5 broker in this process. All public methods are thread safe, and none of them runs a callback while it holds
/// a lock, so callbacks may call back into the broker.
/// </summary>
public sealed partial class MqttBroker : IAsyncDisposable
{
    /// <summary>Of the meter that has all of <see cref="BrokerMetric.All"/>; its scope is the broker.</summary>
    public const string MeterName = "EdgeFirmware.Mqtt";

    /// <summary>How often keep-alives, wills and expiries are looked at; they are given in seconds.</summary>
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    /// <summary>A turn of a review: about 0.1 ms, so that messages do not wait for it.</summary>
    private const int ReviewedPerTurn = 64;

    private readonly Lock _connectionsGate = new();
    private readonly HashSet<BrokerConnection> _connections = [];
    private readonly List<BrokerListener> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lazy<EventLoop> _loop = new(() => new EventLoop());
    private readonly SysTopics _sysTopics;
    private readonly BrokerMeter _meter;
    private readonly ITimer _tick;
    private int _handshakes;
    private MqttBridge[] _bridges = [];
    private Task _retiring = Task.CompletedTask;

    public MqttBroker(BrokerOptions options)
    {
        Options = options;
        Core = new BrokerCore(options);
        _sysTopics = new SysTopics(Core, options);
        _meter = new BrokerMeter(this);
        if (options.Durability is { } durability) Restored = Task.Run(() => Restore(durability));
        _tick = options.TimeProvider.CreateTimer(_ => Tick(), null, TickInterval, TickInterval);
    }

    /// <summary>Where it listens, with the ports that were given for port 0.</summary>
    public IReadOnlyList<BrokerEndpoint> Endpoints => [.. _listeners.Select(listener => listener.Endpoint)];

    /// <summary>Ends when the broker was stopped, or faults with the bug that ended it. The host must await it.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Completes when what was kept on disk is loaded; clients that connect before wait for it. Faults with a bug only.</summary>
    public Task Restored { get; } = Task.CompletedTask;

    internal BrokerOptions Options { get; }

    internal ILogger Logger => Options.Logger;

    internal BrokerCore Core { get; }

    /// <summary>What waits for the sockets of clients; begins with the first of them.</summary>
    internal EventLoop Loop => _loop.Value;

    internal CancellationToken Stopping => _stopping.Token;

    /// <summary>A broker that listens on the given endpoints when the task completes.</summary>
    /// <exception cref="SocketException">An address is in use, or not ours and <see cref="BrokerOptions.Bind"/> minds.</exception>
    public static async Task<MqttBroker> StartAsync(BrokerOptions options, params BrokerEndpoint[] endpoints)
    {
        var broker = new MqttBroker(options);
        try
        {
            foreach (var endpoint in endpoints) broker.Listen(endpoint);
            return broker;
        }
        catch
        {
            await broker.StopAsync();
            throw;
        }
    }

    /// <summary>Listens on one more endpoint and returns it with the port it got.</summary>
    /// <exception cref="SocketException">The address is in use, or not ours and <see cref="BrokerOptions.Bind"/> minds.</exception>
    public BrokerEndpoint Listen(BrokerEndpoint endpoint)
    {
        var listener = new BrokerListener(this, endpoint);
        lock (_connectionsGate)
        {
            _listeners.Add(listener);
            _accepting.Add(AcceptAsync(listener));
        }

        MqttLog.Listening(Logger, listener.Endpoint.Tls is null ? listener.Endpoint.ToString() : $"{listener.Endpoint} with TLS");
        return listener.Endpoint;
    }

    /// <summary>The bridges that were started.</summary>
    public IReadOnlyList<MqttBridge> Bridges => _bridges;

    /// <summary>
    /// Forwards messages between this broker and others until it stops. Call it once, with all of them: what waits for a bridge that is not among them
    /// is given up after <see cref="BrokerLimits.SessionExpiryMax"/>.
    /// </summary>
    /// <exception cref="ArgumentException">Options are wrong, names are used twice, or <see cref="BrokerOptions.Identity"/> is not set.</exception>
    /// <exception cref="InvalidOperationException">Called twice.</exception>
    public void StartBridges(params IReadOnlyList<BridgeOptions> bridges)
    {
        if (Options.Identity is null) throw new ArgumentException("A broker with bridges needs an identity.", nameof(bridges));
        if (_bridges.Length > 0) throw new InvalidOperationException("Bridges are started once.");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var options in bridges)
        {
            var fault = options.Faults.FirstOrDefault() ?? (options.Remote is null && options.Carrier is null ? "it leads nowhere" : names.Add(options.Name) ? null : "the name is used twice");
            if (fault is not null) throw new ArgumentException($"Bridge {options.Name}: {fault}.", nameof(bridges));
        }

        _bridges = [.. bridges.Select(MqttBridge (options) => options.Carrier is { } carrier ? new CarriedBridge(this, options, carrier) : new DialledBridge(this, options, options.Remote!))];
        foreach (var bridge in _bridges) bridge.Start();
        _retiring = RetireAsync(names);
    }

    /// <summary>Routes a message to all subscribers, and keeps it when it is flagged to be retained. The tap does not see it.</summary>
    /// <exception cref="ArgumentException">The topic is not a valid topic name, or a text cannot be said in a packet.</exception>
    public void Publish(MqttMessage message)
    {
        PacketText.Check(message);
        using var turn = Core.Enter();
        Core.Router.Route(message, null, turn);
    }

    /// <summary>
    /// Calls back for every message that matches, first for the retained ones. Calls come on the publisher's thread: they keep each
    /// publisher's order, may overlap for different publishers, and must be cheap. Dispose the result to end it.
    /// </summary>
    /// <exception cref="ArgumentException">The filter is not valid.</exception>
    public IDisposable Subscribe(string filter, Action<MqttMessage> callback)
    {
        if (!TopicName.IsValidFilter(filter)) throw new ArgumentException("Not a topic filter.", nameof(filter));
        var route = new LocalRoute(callback);
        using var turn = Core.Enter();
        Core.Router.Add(filter, route);
        var retained = new List<RetainedMessage>();
        Core.Router.Retained.Match(filter, turn.Now, retained);
        foreach (var one in retained) turn.Call(callback, one.Message);
        return new LocalSubscription(Core, filter, route);
    }

    /// <summary>
    /// Puts a message directly onto one client's session, past routing. A disconnected persistent session keeps QoS 1 and 2 until the
    /// client returns. <paramref name="settled"/> is called exactly once, without locks, on whatever thread learned the outcome; it
    /// may run before this method returns.
    /// </summary>
    /// <exception cref="ArgumentException">The topic is not a valid topic name, or a text cannot be said in a packet.</exception>
    public void Deliver(string clientId, MqttMessage message, QoS qos, Action<DeliveryOutcome>? settled = null)
    {
        PacketText.Check(message);
        using var turn = Core.Enter();
        if (!Core.Sessions.TryGetValue(clientId, out var session))
        {
            if (settled is not null) turn.Settled.Add(new Settlement(settled, DeliveryOutcome.NoSession));
            return;
        }

        var outbound = new OutboundMessage(message, qos)
        {
            Retain = message.Retain, ExpiresAt = Router.ExpiryOf(message, turn.Now), Settled = settled, KeptBySender = settled is not null,
        };
        session.Deliver(outbound, turn.Now, turn.Settled);
    }

    public BrokerStatistics Statistics
    {
        get
        {
            using var turn = Core.Enter();
            return BrokerStatistics.Of(Core, _connections.Count, turn.Now);
        }
    }

    /// <summary>Stops listening, tells every client, writes what has to be kept, closes.</summary>
    public async Task StopAsync()
    {
        if (_stopping.IsCancellationRequested)
        {
            await Completion;
            return;
        }

        await _tick.DisposeAsync();
        _meter.Dispose();
        await _stopping.CancelAsync();
        BrokerConnection[] open;
        Task[] accepting;
        lock (_connectionsGate)
        {
            open = [.. _connections];
            accepting = [.. _accepting];
            foreach (var listener in _listeners) listener.Dispose();
        }

        using (var turn = Core.Enter())
        {
            foreach (var connection in open) connection.Abort(ReasonCode.ServerShuttingDown);
            _sensorGateway?.Stop();
        }

        await Restored;
        await _retiring;
        await Task.WhenAll(_bridges.Select(bridge => bridge.Running));
        await Task.WhenAll(accepting);
        await _sensorsServed;
        await Task.WhenAll(open.Select(connection => connection.Running));
        // Before anything is forgotten: what lives is what a snapshot would hold.
        if (Core.Journal?.Writer is { } writer) await writer.StopAsync();
        using (var turn = Core.Enter())
        {
            foreach (var session in Core.Sessions.Values.ToArray()) Core.Forget(session, turn);
        }

        if (_loop.IsValueCreated) _loop.Value.Dispose();
        foreach (var listener in _sensorListeners) listener.Dispose();
        _completion.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stopping.Dispose();
    }

    /// <summary>Serves a client whose WebSocket, with the sub-protocol "mqtt", was accepted elsewhere; completes when that is closed.</summary>
    /// <param name="remoteAddress">Address and port, for logs and access rules.</param>
    public Task ServeAsync(WebSocket socket, string remoteAddress) =>
        Serve(new WebSocketWire(socket), remoteAddress, trusted: false)?.Running ?? Task.CompletedTask;

    /// <summary>Serves one accepted connection until it closes. Null: there are too many.</summary>
    internal BrokerConnection? Serve(Wire wire, string remoteAddress, bool trusted)
    {
        var connection = new BrokerConnection(this, wire, remoteAddress, trusted);
        BrokerConnection? slowest = null;
        lock (_connectionsGate)
        {
            if (_connections.Count >= Options.Limits.ConnectionsMax || _stopping.IsCancellationRequested)
            {
                MqttLog.TooManyConnections(Logger, _connections.Count);
                Core.Counters.Hit(BrokerLimit.Connections);
                wire.Dispose();
                return null;
            }

            if (_handshakes >= Options.Limits.HandshakesMax) slowest = SlowestHandshake();
            _handshakes++;

            _connections.Add(connection);
            Core.Counters.ConnectionsPeak = Math.Max(Core.Counters.ConnectionsPeak, _connections.Count);
        }

        connection.Running = connection.RunAsync();
        if (slowest is null) return connection;
        Core.Counters.Hit(BrokerLimit.Handshakes);
        using var turn = Core.Enter();
        slowest.Abort(ReasonCode.ServerBusy);
        return connection;
    }

    private BrokerConnection? SlowestHandshake()
    {
        BrokerConnection? slowest = null;
        foreach (var other in _connections)
        {
            if (other.IsHandshaking && !(other.ConnectedAt >= slowest?.ConnectedAt)) slowest = other;
        }

        return slowest;
    }

    /// <summary>A connection has a session now, or will have none.</summary>
    internal void HandshakeEnded()
    {
        lock (_connectionsGate) _handshakes--;
    }

    internal void Remove(BrokerConnection connection)
    {
        lock (_connectionsGate) _connections.Remove(connection);
    }

    /// <summary>Sends a new subscriber of <c>$SYS</c> what it is like now, inside a turn: those topics are not retained.</summary>
    internal void Greet(Subscription subscription, Turn turn) =>
        _sysTopics.Greet(subscription, BrokerStatistics.Of(Core, _connections.Count, turn.Now), turn);

    /// <summary>An exception nobody expected is a bug: it must end the process, by way of <see cref="Completion"/>.</summary>
    internal void Fail(Exception bug)
    {
        MqttLog.Bug(Logger, bug);
        _completion.TrySetException(bug);
    }

    private void Restore(DurabilityOptions durability)
    {
        try
        {
            if (JournalStart.Open(durability, Logger) is not { } opened) return;
            var (files, replay) = opened;
            var journal = new Journal(durability, Core, Options.TimeProvider);
            using var turn = Core.Enter();
            Core.Restore(journal, replay, turn);
            var summary = new ReviewSummary();
            foreach (var session in Core.Sessions.Values.ToArray()) AccessReview.Apply(session, this, turn, summary);
            journal.Writer = new JournalWriter(journal, files, Logger, Fail);
        }
        catch (Exception bug)
        {
            Fail(bug);
            throw;
        }
    }

    private async Task RetireAsync(IReadOnlySet<string> bridges)
    {
        await Restored;
        using var turn = Core.Enter();
        BridgeSession.Retire(this, bridges, turn);
    }

    private async Task AcceptAsync(BrokerListener listener)
    {
        try
        {
            await listener.RunAsync();
        }
        catch (Exception bug)
        {
            Fail(bug);
            throw;
        }
    }

    private void Tick()
    {
        BrokerConnection[] open;
        lock (_connectionsGate) open = [.. _connections];
        using var turn = Core.Enter();
        foreach (var connection in open)
        {
            if (!connection.IsOverdue(turn.Now)) continue;
            if (connection.IsHandshaking) Core.Counters.Hit(BrokerLimit.ConnectTimeout);
            connection.Abort(ReasonCode.KeepAliveTimeout);
        }

        Core.Advance(turn);
        _sensorGateway?.Advance(turn);
        foreach (var bridge in _bridges) bridge.Advance(turn);
        Core.Journal?.Writer?.Tick();
        if (_sysTopics.IsDue(turn.Now)) _sysTopics.Advance(BrokerStatistics.Of(Core, open.Length, turn.Now), turn);
    }

    private sealed class LocalSubscription(BrokerCore core, string filter, LocalRoute route) : IDisposable
    {
        public void Dispose()
        {
            using var turn = core.Enter();
            core.Router.Remove(filter, route);
        }
    }
}
