using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Feeds the copy of a workload that runs on this node: one message in hand at a time, so that what the workload publishes between
/// getting a message and acknowledging it is the result of that message. Results and acknowledgement then go to the inlet
/// together, which makes the effect exactly once even when this node dies in between.</summary>
internal sealed class Outlet : IDisposable
{
    /// <summary>Results of one message that travel with its acknowledgement. What a workload publishes beyond them goes out at once.</summary>
    private const int ResultsMax = 1000;
    private const long ResultBytesMax = 3 << 20;

    /// <summary>Streams remembered: one a node and run of it.</summary>
    private const int LanesMax = 1024;

    private readonly Lock _gate = new();
    private readonly LinkedList<Input> _waiting = new();
    private readonly Dictionary<Guid, Lane> _lanes = [];
    private readonly CancellationTokenSource _closing = new();
    private readonly TaskCompletionSource _firstAttached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly INodeBroker _broker;
    private Input? _inHand;
    private bool _giving;
    private bool _answering;
    private TaskCompletionSource? _idle;
    private int _unconfirmed;
    private int _attachment;
    private bool _attached;
    private bool _paused;
    private bool _closed;
    private byte _qos;

    public Outlet(WorkloadId workload, long epoch, string clientId, IReadOnlyList<string> inputs, INodeBroker broker)
    {
        Workload = workload;
        Epoch = epoch;
        ClientId = clientId;
        Inputs = inputs;
        Closed = _closing.Token;
        _broker = broker;
    }

    public WorkloadId Workload { get; }

    public long Epoch { get; }

    public string ClientId { get; }

    public IReadOnlyList<string> Inputs { get; }

    /// <summary>Ends when the copy stops being fed for good. Usable after <see cref="Dispose"/>.</summary>
    public CancellationToken Closed { get; }

    /// <summary>Completes when the copy has subscribed to its inputs for the first time.</summary>
    public Task Attached => _firstAttached.Task;

    internal sealed class Input(SensorMessage message, Action<IReadOnlyList<SensorMessage>> done)
    {
        public SensorMessage Message { get; } = message;

        public List<SensorMessage> Results { get; } = [];

        public long ResultBytes { get; set; }

        /// <summary>Which of the copy's attachments it was given to.</summary>
        public int Attachment { get; set; }

        public Action<IReadOnlyList<SensorMessage>> Done { get; } = done;
    }

    /// <param name="done">Gets the results once the copy has acknowledged the message.</param>
    public void Enqueue(SensorMessage message, Action<IReadOnlyList<SensorMessage>> done)
    {
        lock (_gate)
            if (!_closed)
                _waiting.AddLast(new Input(message, done));
        Feed();
    }

    /// <summary>The lane of one inlet's stream; the same one when the inlet connects again.</summary>
    /// <exception cref="PeerException">There are too many.</exception>
    public Lane LaneOf(Guid stream)
    {
        lock (_gate)
        {
            if (!_lanes.TryGetValue(stream, out var lane))
            {
                if (_lanes.Count >= LanesMax && !TryForgetIdleLane())
                    throw new PeerException($"{LanesMax} streams of inputs already");
                _lanes.Add(stream, lane = new Lane(this));
            }
            return lane;
        }
    }

    private bool TryForgetIdleLane()
    {
        foreach (var (stream, lane) in _lanes)
            if (lane.IsIdle)
                return _lanes.Remove(stream);
        return false;
    }

    /// <summary>The copy has subscribed to its inputs, or has come back to a session in which it had.</summary>
    public void Attach(byte qos)
    {
        lock (_gate)
        {
            _attached = true;
            _attachment++;
            _qos = qos;
        }
        _firstAttached.TrySetResult();
        Feed();
    }

    /// <summary>The copy's connection is lost: what it had published for the message in hand counts for nothing, it will get that again. Not so
    /// at QoS 2: there a session that goes on does not repeat what has arrived, and one that ends settles the message.</summary>
    public void Detach()
    {
        lock (_gate)
        {
            _attached = false;
            if (_qos < 2)
                Forget(_inHand);
        }
    }

    /// <summary>The copy publishes.</summary>
    /// <returns>Whether it is dealt with: a result of the message in hand, kept until that is acknowledged, or the word of a copy that is
    /// fenced.</returns>
    public bool Capture(SensorMessage message)
    {
        lock (_gate)
        {
            if (_closed)
                return true;
            if (_inHand is null || _inHand.Results.Count >= ResultsMax || _inHand.ResultBytes + message.SizeBytes > ResultBytesMax)
                return false;
            _inHand.ResultBytes += message.SizeBytes;
            _inHand.Results.Add(message);
            return true;
        }
    }

    /// <summary>Feeds nothing more; completes when the copy has nothing in hand and every inlet has confirmed what it was answered.</summary>
    public Task PauseAsync()
    {
        lock (_gate)
        {
            if (_closed)
                return Task.CompletedTask;
            _paused = true;
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var idle = _idle.Task;
            CompleteIfIdle();
            return idle;
        }
    }

    /// <summary>The copy stays after all.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            _paused = false;
            _idle = null;
        }
        Feed();
    }

    /// <summary>Lanes count answers that their inlets have not confirmed.</summary>
    public void Unconfirmed(int change)
    {
        lock (_gate)
        {
            _unconfirmed += change;
            CompleteIfIdle();
        }
    }

    /// <summary>The copy is gone: what it had in hand is nobody's result, and every lane ends.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            _closed = true;
            _attached = false;
            _waiting.Clear();
            _inHand = null;
            _idle?.TrySetResult();
        }
        _closing.Cancel();
    }

    public void Dispose() => _closing.Dispose();

    private static void Forget(Input? input)
    {
        if (input is null)
            return;
        input.Results.Clear();
        input.ResultBytes = 0;
    }

    /// <summary>A loop, not a recursion: at QoS 0 a message is settled before <see cref="INodeBroker.Deliver"/> returns.</summary>
    private void Feed()
    {
        while (TryTakeNext(out var next, out var qos))
        {
            _broker.Deliver(ClientId, next.Message, qos, acknowledged => Settled(next, acknowledged));
            lock (_gate)
                _giving = false;
        }
    }

    private bool TryTakeNext(out Input next, out byte qos)
    {
        lock (_gate)
        {
            next = null!;
            qos = _qos;
            if (_giving || _answering || _paused || _closed || !_attached || _inHand is not null || _waiting.First is not { } first)
                return false;
            _waiting.RemoveFirst();
            next = _inHand = first.Value;
            next.Attachment = _attachment;
            _giving = true;
            return true;
        }
    }

    private void Settled(Input input, bool acknowledged)
    {
        lock (_gate)
        {
            if (_inHand != input)
                return;
            _inHand = null;
            if (acknowledged)
                _answering = true; // the next one waits, so that answers keep the order of the inputs
            else
            {
                // Its session is gone: first in line again for when the copy is back, if it is not back already.
                Forget(input);
                _attached &= input.Attachment != _attachment;
                _waiting.AddFirst(input);
            }
        }
        if (acknowledged)
            input.Done(input.Results);
        lock (_gate)
        {
            if (acknowledged)
                _answering = false;
            CompleteIfIdle();
        }
        Feed();
    }

    private void CompleteIfIdle()
    {
        if (_inHand is null && !_answering && _unconfirmed == 0)
            _idle?.TrySetResult();
    }
}
