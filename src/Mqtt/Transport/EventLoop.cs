namespace EdgeFirmware.Mqtt.Transport;

/// <summary>
/// One thread that waits for many sockets and runs, for each that changed, what waited for it; then sends what all of them have written.
/// A message passes through without a change of thread. What runs here must not block.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private const int EventsAtOnce = 64;
    private const int StackBytes = 256 << 10;

    /// <summary>What one connection may have waiting before it is sent out of turn: later it would no longer be in the processor's cache.</summary>
    private const int UnsentBytesMax = 64 << 10;

    [ThreadStatic]
    private static EventLoop? _current;

    private readonly EventPoll _poll = new(EventsAtOnce);
    private readonly Lock _gate = new();
    private readonly PolledWire?[] _changed = new PolledWire?[EventsAtOnce];
    private readonly Stack<int> _freeSlots = new();
    private readonly List<PacketWriter> _unsent = [];
    private PolledWire?[] _wires = [];
    private uint[] _uses = [];
    private List<(Action<object?> Continuation, object? State)> _posted = [];
    private List<(Action<object?> Continuation, object? State)> _running = [];
    private int _asleep;
    private volatile bool _stopping;

    public EventLoop() => new Thread(Run, StackBytes) { IsBackground = true, Name = "mqtt sockets" }.Start();

    private bool IsCurrent => ReferenceEquals(_current, this);

    /// <summary>Sends what the writer owes: on a loop's thread at the end of its round, with what others add until then, and elsewhere at once.</summary>
    public static void Flush(PacketWriter writer)
    {
        if (_current is { } loop && writer.UnsentBytes < UnsentBytesMax) loop._unsent.Add(writer);
        else writer.Flush();
    }

    /// <summary>Tells the wire of every change of its socket, until <see cref="Remove"/>.</summary>
    /// <exception cref="IOException">The kernel has no memory for it.</exception>
    public int Add(PolledWire wire, int descriptor)
    {
        lock (_gate)
        {
            if (_freeSlots.Count == 0) AddSlots();
            var slot = _freeSlots.Peek();
            _poll.Watch(descriptor, ((ulong)_uses[slot] << 32) | (uint)slot);
            _wires[slot] = wire;
            return _freeSlots.Pop();
        }
    }

    /// <summary>After the socket was closed, which is what ends the kernel's interest.</summary>
    public void Remove(int slot)
    {
        lock (_gate)
        {
            _wires[slot] = null;
            _uses[slot]++;
            _freeSlots.Push(slot);
        }
    }

    /// <summary>Runs it on the loop's thread, after what is already waiting there. From any thread.</summary>
    public void Post(Action<object?> continuation, object? state)
    {
        lock (_gate)
        {
            if (!_stopping)
            {
                _posted.Add((continuation, state));
                if (!IsCurrent && Interlocked.Exchange(ref _asleep, 0) == 1) _poll.Wake();
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(continuation, state, preferLocal: false);
    }

    /// <summary>Runs it here and now when this is the loop's thread.</summary>
    public void RunOrPost(Action<object?> continuation, object? state)
    {
        if (IsCurrent) continuation(state);
        else Post(continuation, state);
    }

    /// <summary>The thread ends when it has run what waits, and then closes what it has. Every wire is disposed already.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            _poll.Wake();
        }
    }

    private void Run()
    {
        _current = this;
        while (true)
        {
            var count = _poll.Wait(mayBlock: FallAsleep());
            Volatile.Write(ref _asleep, 0);
            Tell(count);
            RunPosted();
            Send();
            if (!_stopping) continue;
            lock (_gate)
            {
                if (_posted.Count > 0) continue;
                _poll.Dispose();
                return;
            }
        }
    }

    /// <summary>False when there is something to do.</summary>
    private bool FallAsleep()
    {
        lock (_gate)
        {
            if (_posted.Count > 0 || _stopping) return false;
            _asleep = 1;
            return true;
        }
    }

    private void Tell(int count)
    {
        lock (_gate)
        {
            for (var i = 0; i < count; i++)
            {
                var (token, _) = _poll[i];
                var slot = (uint)token;
                // The number of uses tells a closed socket's last change from one of the socket that has its place now.
                _changed[i] = slot < _wires.Length && _uses[slot] == token >> 32 ? _wires[slot] : null;
            }
        }

        for (var i = 0; i < count; i++)
        {
            _changed[i]?.OnChange(_poll[i].What);
            _changed[i] = null;
        }
    }

    private void RunPosted()
    {
        lock (_gate) (_posted, _running) = (_running, _posted);
        foreach (var (continuation, state) in _running) continuation(state);
        _running.Clear();
    }

    private void Send()
    {
        // What is told on the way that everything was sent may write more.
        for (var i = 0; i < _unsent.Count; i++) _unsent[i].Flush();
        _unsent.Clear();
    }

    private void AddSlots()
    {
        var before = _wires.Length;
        Array.Resize(ref _wires, Math.Max(8, 2 * before));
        Array.Resize(ref _uses, _wires.Length);
        for (var slot = _wires.Length - 1; slot >= before; slot--) _freeSlots.Push(slot);
    }
}
