using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>
/// One visit to the broker's state. While it is entered it holds the lock and collects which connections have something to send and
/// whom to call back; on leaving it drops the lock, calls back and flushes each touched connection once.
/// </summary>
internal sealed class Turn : IDisposable
{
    [ThreadStatic]
    private static Turn? _spare;

    private readonly List<IPacketOutput> _touched = [];
    private readonly List<Settlement> _settled = [];
    private readonly List<Action> _calls = [];
    private readonly List<(Action<MqttMessage> Callback, MqttMessage Message)> _local = [];
    private BrokerCore? _core;
    private bool _entered;
    private int _nested;

    /// <summary>Deliveries that ended in this visit.</summary>
    public List<Settlement> Settled => _settled;

    /// <summary>Something was journalled in this visit: answers written after it wait for the disk.</summary>
    public bool Appended { get; set; }

    /// <summary>Broker time of the visit.</summary>
    public TimeSpan Now { get; private set; }

    public static Turn Rent(BrokerCore core)
    {
        var turn = _spare ?? new Turn();
        _spare = null;
        turn._core = core;
        turn.Now = core.Now;
        return turn;
    }

    public void Enter()
    {
        _core!.Gate.Enter();
        _core.Current = this;
        _entered = true;
    }

    /// <summary>A visit inside this one; disposing of it only ends that.</summary>
    public Turn Nest()
    {
        _nested++;
        return this;
    }

    /// <summary>Drops the lock for a call into the tap, after telling everyone what happened before it.</summary>
    public void Suspend()
    {
        Exit();
        CallBack();
        CallLocal();
    }

    public void Touch(IPacketOutput connection) => _touched.Add(connection);

    /// <summary>Calls once the lock is free, in order.</summary>
    public void Call(Action action) => _calls.Add(action);

    public void Call(Action<MqttMessage> callback, MqttMessage message) => _local.Add((callback, message));

    public void Dispose()
    {
        if (_nested > 0)
        {
            _nested--;
            return;
        }

        if (_entered) Exit();
        if (Appended) _core!.Journal!.Wake();
        Appended = false;
        CallBack();
        foreach (var connection in _touched) connection.Flush();
        _touched.Clear();
        CallLocal();
        _core = null;
        _spare = this;
    }

    private void Exit()
    {
        _entered = false;
        _core!.Current = null;
        _core.Gate.Exit();
    }

    /// <summary>Before anything is sent, so that the tap knows what happened before the client does.</summary>
    private void CallBack()
    {
        foreach (var (settled, outcome) in _settled) settled(outcome);
        _settled.Clear();
        foreach (var call in _calls) call();
        _calls.Clear();
    }

    private void CallLocal()
    {
        foreach (var (callback, message) in _local) callback(message);
        _local.Clear();
    }
}
