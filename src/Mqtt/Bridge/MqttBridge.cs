using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;
using EdgeFirmware.Mqtt.Packets;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// Forwards messages between its broker and another one. Made by <see cref="MqttBroker.StartBridges"/>; lives as long as the broker. Connects for ever,
/// waits longer after each failure, and is visible as <c>$SYS/broker/connection/NAME/state</c> (retained, 1 or 0).
/// </summary>
public sealed class MqttBridge
{
    private readonly MqttBroker _broker;
    private readonly BackOff _backOff;
    private BridgeSession? _session;
    private BridgeConnection? _connection;
    private TimeSpan _connectedAt;
    private string? _trouble;
    private bool _hasSubscribed;
    private bool _saysBridge = true;
    private long _attempts;
    private long _received;

    internal MqttBridge(MqttBroker broker, BridgeOptions options)
    {
        _broker = broker;
        Options = options;
        Map = new TopicMap(options.Topics);
        Queue = new BridgeQueue(options, Map, broker.Logger, broker.Options.TimeProvider);
        Queue.RemoteMark = WayMark;
        var seed = options.Remote.RandomSeed;
        _backOff = new BackOff(options.Remote.ReconnectDelay, options.Remote.ReconnectDelayMax, seed is { } given ? new Random(given) : new Random());
        options.Remote.PrepareForBridge(broker);
    }

    public string Name => Options.Name;

    public BridgeStatus Status
    {
        get
        {
            using var turn = _broker.Core.Enter();
            var outbound = _session?.Session.Outbound;
            return new BridgeStatus
            {
                Name = Options.Name,
                Address = MqttClientOptions.TextOf(Options.Remote.Server),
                Connected = _connection is not null,
                ConnectedFor = _connection is null ? null : turn.Now - _connectedAt,
                RemoteName = _connection?.RemoteName,
                Trouble = _trouble,
                Attempts = Interlocked.Read(ref _attempts),
                QueuedMessages = (outbound?.QueuedMessages ?? 0) + (outbound?.InFlight ?? 0),
                QueuedBytes = outbound?.QueuedBytes ?? 0,
                Forwarded = Queue.Forwarded,
                Received = _received,
                Dropped = Queue.Dropped,
            };
        }
    }

    internal BridgeOptions Options { get; }

    internal TopicMap Map { get; }

    internal BridgeQueue Queue { get; }

    /// <summary>Stands for a broker that tells no name: the way to it.</summary>
    internal string WayMark => $"{Name}@{_broker.Options.Identity}";

    /// <summary>Since when the other broker refuses for want of room. Under the broker's lock.</summary>
    internal TimeSpan? NoRoomSince { get; set; }

    /// <summary>Completes when the broker has stopped and the connection is closed.</summary>
    internal Task Running { get; set; } = Task.CompletedTask;

    /// <summary>Under the broker's lock.</summary>
    internal void CountReceived() => _received++;

    /// <summary>Drops what waited too long; called each second inside a turn.</summary>
    internal void Advance(Turn turn) => _session?.Session.Outbound.DropOld(turn.Now, turn.Settled);

    internal async Task RunAsync()
    {
        try
        {
            await _broker.Restored;
            using (var turn = _broker.Core.Enter())
            {
                _session = BridgeSession.Open(_broker, Options, Map, Queue, turn);
                Tell(turn, isConnected: false);
            }

            while (!_broker.Stopping.IsCancellationRequested)
            {
                var lived = await ConnectAsync();
                await Task.Delay(_backOff.Next(lived), _broker.Options.TimeProvider, _broker.Stopping);
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
        catch (Exception bug)
        {
            _broker.Fail(bug);
            throw;
        }
    }

    /// <summary>Connects and serves the connection. The result says how long it lived.</summary>
    private async Task<TimeSpan> ConnectAsync()
    {
        Interlocked.Increment(ref _attempts);
        try
        {
            if (_session is null)
            {
                using var turn = _broker.Core.Enter();
                _session = BridgeSession.Open(_broker, Options, Map, Queue, turn) ?? throw new MqttException("no room on the disk for the bridge's session");
            }

            var request = ClientHandshake.Request(Options.Remote, Options.Remote.ClientId, cleanStart: false, isBridge: _saysBridge && Options.Remote.Version == ProtocolVersion.V311);
            BridgeConnection? opened = null;
            var (connection, answer, behind) = await ClientHandshake.RunAsync(Options.Remote, request, () => opened?.OnDrained(), _broker.Stopping);
            connection.Journal = _broker.Core.Journal;
            connection.Touched = written => _broker.Core.Current!.Touch(written);
            if (answer.Reason.IsFailure())
            {
                connection.Dispose();
                // Not every broker knows the bit that says so.
                if (answer.Reason == ReasonCode.UnsupportedProtocolVersion) _saysBridge = false;
                throw new MqttException($"refused: {answer.Reason} {answer.Properties.ReasonString}".TrimEnd());
            }

            Check(connection, answer);
            opened = new BridgeConnection(this, _broker, _session, connection, answer);
            return await ServeAsync(opened, answer.SessionPresent, behind);
        }
        catch (MqttException failure)
        {
            Note(failure.Message);
            return TimeSpan.Zero;
        }
    }

    private async Task<TimeSpan> ServeAsync(BridgeConnection connection, bool sessionPresent, List<Packet> behind)
    {
        using (var turn = _broker.Core.Enter())
        {
            _connection = connection;
            _connectedAt = turn.Now;
            Queue.RemoteMark = connection.Mark;
            _trouble = null;
            Tell(turn, isConnected: true);
        }

        MqttLog.BridgeConnected(_broker.Logger, Name, MqttClientOptions.TextOf(Options.Remote.Server), sessionPresent);
        var subscribe = !_hasSubscribed;
        _hasSubscribed = true;
        using var leave = _broker.Stopping.UnsafeRegister(_ => _ = LeaveAsync(connection), null);
        var end = await connection.RunAsync(sessionPresent, subscribe, behind);
        TimeSpan lived;
        using (var turn = _broker.Core.Enter())
        {
            _connection = null;
            lived = turn.Now - _connectedAt;
            if (!_broker.Stopping.IsCancellationRequested) Tell(turn, isConnected: false);
        }

        Note(end);
        return lived;
    }

    private static async Task LeaveAsync(BridgeConnection connection)
    {
        connection.Leave();
        await connection.WhenSent().WaitAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        connection.Close();
    }

    /// <exception cref="MqttException">Nothing good would come of it.</exception>
    private void Check(ClientConnection connection, ConnAckPacket answer)
    {
        var most = Options.Topics.Where(topic => topic.IsOut).Select(topic => (int)topic.QoS).DefaultIfEmpty(0).Max();
        var fault = answer.Properties.MaximumQoS < most ? $"the other broker takes QoS {answer.Properties.MaximumQoS} at most, and a topic says {most}"
            : BridgeMark.NameIn(answer.Properties.UserProperties) == _broker.Options.Identity ? "the other broker is this one"
            : null;
        if (fault is null) return;
        connection.Dispose();
        throw new MqttException(fault);
    }

    private void Note(string trouble)
    {
        if (_broker.Stopping.IsCancellationRequested) return;
        // Once for each new trouble: attempts go on for as long as it lasts.
        if (_trouble != trouble) MqttLog.BridgeTrouble(_broker.Logger, Name, MqttClientOptions.TextOf(Options.Remote.Server), trouble);
        _trouble = trouble;
    }

    private void Tell(Turn turn, bool isConnected)
    {
        var state = new MqttMessage
        {
            Topic = SysTopics.BridgeState(Name),
            Payload = isConnected ? "1"u8.ToArray() : "0"u8.ToArray(),
            Retain = true,
        };
        _broker.Core.Router.Route(state, null, turn);
    }
}
