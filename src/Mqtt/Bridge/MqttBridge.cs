using EdgeFirmware.Mqtt.Broker;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Mqtt.Bridge;

/// <summary>
/// Forwards messages between its broker and another one. Made by <see cref="MqttBroker.StartBridges"/>; lives as long as the broker, and is visible as
/// <c>$SYS/broker/connection/NAME/state</c> (retained, 1 or 0).
/// </summary>
public abstract class MqttBridge
{
    private TimeSpan _connectedAt;
    private bool _isConnected;
    private string? _trouble;
    private long _attempts;
    private long _received;

    private protected MqttBridge(MqttBroker broker, BridgeOptions options)
    {
        Broker = broker;
        Options = options;
        Map = new TopicMap(options.Topics);
        Queue = new BridgeQueue(options, Map, broker.Logger, broker.Options.TimeProvider);
        Queue.RemoteMark = WayMark;
    }

    public string Name => Options.Name;

    public BridgeStatus Status
    {
        get
        {
            using var turn = Broker.Core.Enter();
            var outbound = Session?.Session.Outbound;
            return new BridgeStatus
            {
                Name = Options.Name,
                Address = Address,
                Connected = _isConnected,
                ConnectedFor = _isConnected ? turn.Now - _connectedAt : null,
                RemoteName = RemoteName,
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
    internal string WayMark => $"{Name}@{Broker.Options.Identity}";

    /// <summary>Since when the other broker refuses for want of room. Under the broker's lock.</summary>
    internal TimeSpan? NoRoomSince { get; set; }

    /// <summary>Completes when the broker has stopped and nothing is under way.</summary>
    internal Task Running { get; private set; } = Task.CompletedTask;

    private protected MqttBroker Broker { get; }

    /// <summary>Null before what was kept is loaded, and while there is no room for it.</summary>
    private protected BridgeSession? Session { get; private set; }

    private protected abstract string Address { get; }

    /// <summary>Null while it is not known.</summary>
    private protected abstract string? RemoteName { get; }

    internal void Start() => Running = RunAsync();

    /// <summary>Under the broker's lock.</summary>
    internal void CountReceived() => _received++;

    /// <summary>Drops what waited too long; called each second inside a turn.</summary>
    internal virtual void Advance(Turn turn) => Session?.Session.Outbound.DropOld(turn.Now, turn.Settled);

    /// <summary>Serves the session until the broker stops or there is no room for one.</summary>
    private protected abstract Task ServeAsync();

    private protected void CountAttempt() => Interlocked.Increment(ref _attempts);

    /// <exception cref="MqttException">There is no room.</exception>
    private protected BridgeSession OpenSession()
    {
        using var turn = Broker.Core.Enter();
        return Session ??= BridgeSession.Open(Broker, Options, Address, Map, Queue, turn) ?? throw new MqttException("no room on the disk for the bridge's session");
    }

    private protected void IsConnected(Turn turn)
    {
        (_isConnected, _connectedAt, _trouble) = (true, turn.Now, null);
        Tell(turn, isConnected: true);
    }

    /// <returns>How long it was connected.</returns>
    private protected TimeSpan IsDisconnected(Turn turn)
    {
        _isConnected = false;
        if (!Broker.Stopping.IsCancellationRequested) Tell(turn, isConnected: false);
        return turn.Now - _connectedAt;
    }

    private protected void Note(string trouble)
    {
        if (Broker.Stopping.IsCancellationRequested) return;
        // Once for each new trouble: attempts go on for as long as it lasts.
        if (_trouble != trouble) MqttLog.BridgeTrouble(Broker.Logger, Name, Address, trouble);
        _trouble = trouble;
    }

    private async Task RunAsync()
    {
        try
        {
            await Broker.Restored;
            using (var turn = Broker.Core.Enter()) Tell(turn, isConnected: false);
            await ServeAsync();
        }
        catch (OperationCanceledException) when (Broker.Stopping.IsCancellationRequested)
        {
            // The broker stops.
        }
        catch (Exception bug)
        {
            Broker.Fail(bug);
            throw;
        }
    }

    private void Tell(Turn turn, bool isConnected)
    {
        var state = new MqttMessage
        {
            Topic = SysTopics.BridgeState(Name),
            Payload = isConnected ? "1"u8.ToArray() : "0"u8.ToArray(),
            Retain = true,
        };
        Broker.Core.Router.Route(state, null, turn);
    }
}
