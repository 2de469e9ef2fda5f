using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Custody;

/// <param name="Outlet">The copy on this node, when it runs here.</param>
internal sealed record InletRoute(NodeId Owner, long Epoch, Outlet? Outlet);

/// <summary>Keeps what this node has heard for one workload and brings it to wherever that runs. Only an answer of the present owner at the
/// present epoch takes a message out; when the owner changes, the rest is sent to the new one, in order. The broker is never called under the
/// lock here, except inside a step of its own: its lock comes first.</summary>
internal sealed class Inlet : IDisposable
{
    /// <summary>Messages on their way to the owner: hides the link's latency, and bounds what the owner must hold.</summary>
    private const int InFlightMax = 32;

    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly InletQueue _queue;
    private readonly Queue<Action> _held = new();

    /// <summary>Committed, but a power cut could still bring them back: the owner must not forget them yet.</summary>
    private readonly SortedSet<long> _unkept = [];

    /// <summary>Committed for good; the owner is to be told.</summary>
    private readonly Queue<long> _confirmable = new();
    private readonly Signal _changed = new();
    private readonly IPeerNetwork _network;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Action<SensorMessage> _publish;
    private readonly INodeBroker _broker;
    private readonly IMessageStore _store;
    private CancellationTokenSource _routing = new(); // neither linked nor timed, so nothing to dispose of
    private InletRoute? _route;
    private TimeSpan _retry = RetryFirst;
    private long _dropped;
    private bool _fullTold;
    private bool _closed;

    /// <param name="publish">For results, inside a step.</param>
    public Inlet(
        WorkloadId workload, long bytesMax, INodeBroker broker, IPeerNetwork network, Action<SensorMessage> publish, TimeProvider time, ILogger log)
    {
        Workload = workload;
        _broker = broker;
        _store = broker.OpenStore(NameOf(workload));
        _queue = new InletQueue(bytesMax, _store.Last);
        foreach (var (sequence, message) in _store.Kept)
            _queue.Add(sequence, message);
        _network = network;
        _publish = publish;
        _time = time;
        _log = log;
        Completion = RunAsync();
    }

    public WorkloadId Workload { get; }

    /// <summary>Ends after <see cref="Dispose"/>; faults on a bug of ours.</summary>
    public Task Completion { get; }

    public InletBacklog Backlog
    {
        get
        {
            lock (_gate)
                return new InletBacklog(_queue.Count, _queue.Bytes, _dropped);
        }
    }

    /// <summary>What its messages are kept under.</summary>
    public static string NameOf(WorkloadId workload) => $"inlet/{workload}";

    /// <summary>Takes a message into custody, inside a step of the broker's.</summary>
    /// <param name="hold">Delays the sender's acknowledgement until the action it returns is called: that is how a full inlet slows its
    /// senders. <c>null</c> for QoS 0, which is dropped and counted when there is no room.</param>
    public void Take(SensorMessage message, Func<Action>? hold)
    {
        var firstDropped = false;
        lock (_gate)
        {
            if (_closed)
                return; // gone since the caller looked: nobody waits for it, nor would anybody release its sender
            var hasRoom = _queue.HasRoom;
            if (hasRoom || hold is not null)
            {
                if (!hasRoom)
                    _held.Enqueue(hold!());
                var sequence = 0L;
                sequence = _store.Put(message, () => Kept(sequence));
                _queue.Add(sequence, message);
            }
            else
            {
                _dropped++;
                firstDropped = !_fullTold;
                _fullTold = true;
            }
        }
        if (firstDropped)
            WorkloadLog.InletFull(_log, Workload);
        _changed.Set();
    }

    private void Kept(long sequence)
    {
        lock (_gate)
            _queue.KeptUpTo(sequence);
        _changed.Set();
    }

    public void RouteTo(InletRoute? route)
    {
        lock (_gate)
        {
            if (_route == route)
                return;
            _route = route;
            _ = _routing.CancelAsync(); // not inline: whoever waits must not run under this lock
        }
        _changed.Set();
    }

    /// <summary>The workload is gone for good, or the node ends: what waits is dropped here and its senders are released. The store stays.</summary>
    public void Dispose()
    {
        Action[] held;
        lock (_gate)
        {
            _closed = true;
            held = [.. _held];
            _held.Clear();
            _ = _routing.CancelAsync();
        }
        foreach (var release in held)
            release();
    }

    private async Task RunAsync()
    {
        await Task.Yield();
        while (TryBegin(out var route, out var routed))
            try
            {
                await WaitForWorkAsync(routed);
                if (route is null || route.Outlet is { Closed.IsCancellationRequested: true })
                    await _changed.WaitAsync(routed);
                else if (route.Outlet is { } outlet)
                    await FeedLocalAsync(outlet, route, routed);
                else
                    await FeedRemoteAsync(route, routed);
            }
            catch (OperationCanceledException)
            {
                _retry = RetryFirst; // a new route, a closed outlet, or the end
            }
            catch (PeerException error)
            {
                WorkloadLog.OwnerUnreachable(_log, Workload, route!.Owner, error.Message);
                await BackOffAsync(routed);
            }
    }

    private bool TryBegin(out InletRoute? route, out CancellationToken routed)
    {
        lock (_gate)
        {
            _queue.Rewind();
            _routing = new CancellationTokenSource();
            route = _route;
            routed = _routing.Token;
            return !_closed;
        }
    }

    private async Task WaitForWorkAsync(CancellationToken cancel)
    {
        while (!HasWork())
            await _changed.WaitAsync(cancel);
    }

    private async Task BackOffAsync(CancellationToken cancel)
    {
        var retry = _retry;
        _retry = retry * 2 < RetryMax ? retry * 2 : RetryMax;
        await Task.Delay(retry, _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a new route ends the wait
        if (cancel.IsCancellationRequested)
            _retry = RetryFirst;
    }

    private async Task FeedLocalAsync(Outlet outlet, InletRoute route, CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, outlet.Closed);
        var lane = outlet.LaneOf(_store.Stream);
        void Answer(long sequence, IReadOnlyList<SensorMessage> results)
        {
            Commit(route, sequence, results);
        }
        Action<long, IReadOnlyList<SensorMessage>> answer = Answer;
        lane.Open(answer, First());
        try
        {
            while (true)
            {
                while (TryConfirm(out var sequence))
                    lane.Committed(sequence);
                while (TryTake(out var entry))
                    lane.Offer(answer, entry.Sequence, entry.Message);
                await _changed.WaitAsync(ending.Token);
            }
        }
        finally
        {
            lane.Close(answer);
        }
    }

    private async Task FeedRemoteAsync(InletRoute route, CancellationToken cancel)
    {
        await using var conversation = await _network.OpenAsync(route.Owner, ConversationKind.Custody, cancel);
        var writer = new CustodyWriter();
        await conversation.SendAsync(
            (byte)CustodyFrame.Open, writer.Begin().Text(Workload.Value).Int64(route.Epoch).Guid(_store.Stream).Int64(First()).Written, cancel);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var receiving = ReceiveAsync(conversation, route, ending.Token);
        try
        {
            while (true)
            {
                while (TryConfirm(out var sequence))
                    await conversation.SendAsync((byte)CustodyFrame.Committed, writer.Begin().Int64(sequence).Written, cancel);
                while (TryTake(out var entry))
                    await conversation.SendAsync((byte)CustodyFrame.Input, writer.Begin().Int64(entry.Sequence).Message(entry.Message).Written, cancel);
                var change = _changed.WaitAsync(ending.Token);
                if (await Task.WhenAny(change, receiving) == receiving)
                    await receiving;
                await change;
            }
        }
        finally
        {
            await ending.CancelAsync();
            await ((Task)receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its fault, if any, is on its way already
        }
    }

    private async Task ReceiveAsync(IPeerConversation conversation, InletRoute route, CancellationToken cancel)
    {
        while (await conversation.ReceiveAsync(cancel) is { } frame)
        {
            switch ((CustodyFrame)frame.Type)
            {
                case CustodyFrame.Ready:
                    _retry = RetryFirst;
                    break;
                case CustodyFrame.Reject:
                    throw new PeerException(new CustodyReader(frame.Body.Span).Text() ?? "rejected");
                case CustodyFrame.Processed:
                    var (sequence, results) = ReadProcessed(frame.Body.Span);
                    Commit(route, sequence, results);
                    break;
                default:
                    throw new PeerException($"frame {frame.Type} from the owner");
            }
        }
        throw new PeerException("the owner ended the conversation");
    }

    private static (long Sequence, IReadOnlyList<SensorMessage> Results) ReadProcessed(ReadOnlySpan<byte> body)
    {
        var reader = new CustodyReader(body);
        return (reader.Int64(), reader.Messages());
    }

    private bool HasWork()
    {
        lock (_gate)
            return _queue.Count > 0 || _unkept.Count > 0 || _confirmable.Count > 0;
    }

    private long First()
    {
        lock (_gate)
            return _unkept.Count > 0 ? Math.Min(_unkept.Min, _queue.First) : _queue.First;
    }

    private bool TryConfirm(out long sequence)
    {
        lock (_gate)
            return _confirmable.TryDequeue(out sequence);
    }

    private bool TryTake(out InletQueue.Entry entry)
    {
        lock (_gate)
            return _queue.TryTakeUnsent(InFlightMax, out entry);
    }

    /// <summary>The message leaves custody and its results become visible, in one step; not for an owner that is no more. The owner is told, and may forget it,
    /// once no power cut can bring it back.</summary>
    private void Commit(InletRoute route, long sequence, IReadOnlyList<SensorMessage> results)
    {
        var isCommitted = false;
        Action[] released = [];
        void Change()
        {
            lock (_gate)
            {
                isCommitted = _route == route && !_closed;
                if (!isCommitted || !_queue.Processed(sequence))
                    return;
                _store.Remove(sequence);
                _unkept.Add(sequence);
                if (_queue.HasRoom)
                {
                    released = [.. _held];
                    _held.Clear();
                    _fullTold = false;
                }
            }
            foreach (var result in results)
                _publish(result);
        }
        void Confirm()
        {
            if (!isCommitted)
                return;
            lock (_gate)
            {
                _unkept.Remove(sequence);
                _confirmable.Enqueue(sequence);
            }
            _changed.Set();
        }
        _broker.InOneStep(Change, Confirm);
        foreach (var release in released)
            release();
        _changed.Set();
    }
}
