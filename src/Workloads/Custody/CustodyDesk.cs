using System.Threading.Channels;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Custody;

/// <summary>Where the broker's messages and the workloads meet: an inlet for each workload of the site, since any node may hear its inputs, and
/// an outlet for each copy that runs here.</summary>
public sealed class CustodyDesk(
    NodeId self, INodeBroker broker, Func<string, string, bool> filterMatches, IPeerNetwork network, TimeProvider time, ILogger log) : IDisposable
{
    /// <summary>What one workload may have waiting on one node, in bytes; senders at QoS ≥ 1 are slowed beyond it.</summary>
    private const long InletBytesMax = 64L << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<WorkloadId, Inlet> _inlets = [];
    private readonly Dictionary<WorkloadId, Outlet> _outlets = [];
    private readonly HearingBook _heard = new(time);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<WorkloadRecord> _records = [];

    /// <summary>Ends after <see cref="Dispose"/>; faults with the bug that ended an inlet, and then the node must end too.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Messages waiting for workloads, for status and metrics.</summary>
    public IReadOnlyDictionary<WorkloadId, InletBacklog> Backlogs
    {
        get
        {
            lock (_gate)
                return _inlets.ToDictionary(pair => pair.Key, pair => pair.Value.Backlog);
        }
    }

    /// <summary>Where the inputs of workloads are heard, as far as this node knows.</summary>
    public IReadOnlyList<InputSource> Sources => _heard.Read();

    /// <summary>The site has no workloads, so nobody's messages are of interest.</summary>
    public bool IsIdle => Volatile.Read(ref _records).Count == 0;

    /// <summary>The site's workloads have changed: opens, closes and routes inlets.</summary>
    public void RecordsAre(IReadOnlyList<WorkloadRecord> records)
    {
        List<Inlet> closed = [];
        broker.InOneStep(() =>
        {
            lock (_gate)
            {
                _records = records;
                closed = TakeUnwanted();
                Route();
            }
            foreach (var inlet in closed)
                broker.DeleteStore(Inlet.NameOf(inlet.Workload));
            // One that was removed while this node was away has no inlet here.
            foreach (var record in records)
                if (!HasInlet(record))
                    broker.DeleteStore(Inlet.NameOf(record.Id));
        });
        foreach (var inlet in closed)
            inlet.Dispose(); // it releases senders, which is no work to do under a lock
    }

    /// <summary>The node ends: what waits is kept.</summary>
    public void Dispose()
    {
        Inlet[] closed;
        lock (_gate)
        {
            closed = [.. _inlets.Values];
            _inlets.Clear();
            _records = [];
        }
        foreach (var inlet in closed)
            inlet.Dispose();
        _completion.TrySetResult();
    }

    /// <summary>A client of this node's broker has published.</summary>
    /// <param name="publisher">The workload the client belongs to, if any.</param>
    /// <param name="hold">Delays the acknowledgement to the client; <c>null</c> at QoS 0.</param>
    /// <param name="within">Makes changes in the step in which the broker deals with the message; <c>null</c>: they are made now.</param>
    public CustodyVerdict OnPublish(WorkloadId? publisher, SensorMessage message, Func<Action>? hold, Action<Action>? within = null)
    {
        if (publisher is { } workload && (Find(workload) is not { } outlet || outlet.Capture(message)))
            return CustodyVerdict.Taken; // without an outlet it is a copy that has been fenced: what it says counts no more
        if (Hearing(message) is not { } hearing)
            return CustodyVerdict.Route;
        if (message.Qos > 0 && broker.IsFull)
            return CustodyVerdict.Refused;
        void Change() => Take(hearing, message, hold);
        if (within is null)
            broker.InOneStep(Change);
        else
            within(Change);
        return CustodyVerdict.Route;
    }

    /// <returns>Whether the filter is an input of the workload, which custody serves in place of the broker.</returns>
    public bool OnSubscribe(WorkloadId subscriber, string clientId, string filter, byte qos)
    {
        if (Find(subscriber) is not { } outlet || outlet.ClientId != clientId || !outlet.Inputs.Contains(filter))
            return false;
        outlet.Attach(qos);
        return true;
    }

    /// <summary>A workload's client is back in a session that has its subscriptions.</summary>
    public void OnResumed(WorkloadId workload, string clientId, byte qos)
    {
        if (Find(workload) is { } outlet && outlet.ClientId == clientId)
            outlet.Attach(qos);
    }

    public void OnDisconnected(WorkloadId workload, string clientId)
    {
        if (Find(workload) is { } outlet && outlet.ClientId == clientId)
            outlet.Detach();
    }

    /// <summary>Serves an inlet of another node: takes inputs for a copy that runs here.</summary>
    public async Task ServeAsync(IPeerConversation conversation, CancellationToken cancel)
    {
        var writer = new CustodyWriter();
        var (workload, epoch, stream, first) = ReadOpen(await conversation.ReceiveAsync(cancel));
        if (Find(workload) is not { } outlet || outlet.Epoch != epoch)
        {
            await conversation.SendAsync((byte)CustodyFrame.Reject, writer.Begin().Text($"{workload} does not run here at epoch {epoch}").Written, cancel);
            return;
        }
        await conversation.SendAsync((byte)CustodyFrame.Ready, default, cancel);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel, outlet.Closed);
        var answers = Channel.CreateUnbounded<(long, IReadOnlyList<SensorMessage>)>(); // bounded by what the lane knows
        Action<long, IReadOnlyList<SensorMessage>> answer = (sequence, results) => answers.Writer.TryWrite((sequence, results));
        var lane = outlet.LaneOf(stream);
        PublishConfirmed(lane.Open(answer, first));
        try
        {
            var receiving = ReceiveAsync(conversation, outlet, lane, answer, ending.Token);
            var answering = AnswerAsync(conversation, answers.Reader, ending.Token);
            var reason = await Task.WhenAny(receiving, answering);
            await ending.CancelAsync();
            await Task.WhenAll(receiving, answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // the first to end knows why
            await reason;
        }
        catch (OperationCanceledException) when (outlet.Closed.IsCancellationRequested)
        {
            // The copy has left this node: the inlet asks elsewhere.
        }
        finally
        {
            lane.Close(answer);
        }
    }

    internal void Open(Outlet outlet)
    {
        broker.InOneStep(() =>
        {
            lock (_gate)
            {
                _outlets[outlet.Workload] = outlet;
                Route();
            }
        });
    }

    internal void Close(Outlet outlet)
    {
        outlet.Close();
        broker.InOneStep(() =>
        {
            lock (_gate)
            {
                if (_outlets.TryGetValue(outlet.Workload, out var open) && open == outlet)
                    _outlets.Remove(outlet.Workload);
                Route();
            }
        });
    }

    private Outlet? Find(WorkloadId workload)
    {
        lock (_gate)
            return _outlets.GetValueOrDefault(workload);
    }

    private static bool HasInlet(WorkloadRecord record) => record.State != WorkloadState.Removed && record.Spec.Inputs.Count > 0;

    private List<Inlet> TakeUnwanted()
    {
        var wanted = new HashSet<WorkloadId>();
        foreach (var record in _records)
            if (HasInlet(record))
                wanted.Add(record.Id);
        var unwanted = _inlets.Values.Where(inlet => !wanted.Contains(inlet.Workload)).ToList();
        foreach (var inlet in unwanted)
            _inlets.Remove(inlet.Workload);
        return unwanted;
    }

    /// <summary>Inside a step, because it may open a store: the broker's lock comes before this one.</summary>
    private void Route()
    {
        foreach (var record in _records.Where(HasInlet))
        {
            if (!_inlets.TryGetValue(record.Id, out var inlet))
            {
                _inlets.Add(record.Id, inlet = new Inlet(record.Id, InletBytesMax, broker, network, Publish, time, log));
                _ = WatchAsync(inlet);
            }
            inlet.RouteTo(RouteOf(record));
        }
    }

    private async Task WatchAsync(Inlet inlet)
    {
        try
        {
            await inlet.Completion;
        }
        catch (Exception bug)
        {
            _completion.TrySetException(bug);
        }
    }

    private InletRoute? RouteOf(WorkloadRecord record)
    {
        if (record.State != WorkloadState.Running)
            return null; // on its way: messages wait
        if (record.Owner != self)
            return new InletRoute(record.Owner, record.Epoch, null);
        return _outlets.TryGetValue(record.Id, out var outlet) && outlet.Epoch == record.Epoch
            ? new InletRoute(self, record.Epoch, outlet)
            : null;
    }

    /// <summary>Results go to the node's subscribers, and to workloads that take them as inputs. Inside a step.</summary>
    private void Publish(SensorMessage message)
    {
        if (Hearing(message) is { } hearing)
            Take(hearing, message, hold: null);
        broker.Publish(message);
    }

    /// <summary>Of the workloads that take the message as an input; <c>null</c>: none does.</summary>
    private List<Inlet>? Hearing(SensorMessage message)
    {
        List<Inlet>? hearing = null;
        lock (_gate)
            foreach (var record in _records)
                if (_inlets.TryGetValue(record.Id, out var inlet) && record.Spec.Inputs.Any(filter => filterMatches(filter, message.Topic)))
                    (hearing ??= []).Add(inlet);
        return hearing;
    }

    private void Take(List<Inlet> hearing, SensorMessage message, Func<Action>? hold)
    {
        foreach (var inlet in hearing)
        {
            _heard.Heard(inlet.Workload, self);
            inlet.Take(message, message.Qos == 0 ? null : hold ?? Unheld);
        }
    }

    /// <summary>A result of a workload has no sender to slow; it is kept beyond the limit rather than lost.</summary>
    private static Action Unheld() => static () => { };

    private static (WorkloadId Workload, long Epoch, Guid Stream, long First) ReadOpen(PeerFrame? frame)
    {
        if (frame is not { Type: (byte)CustodyFrame.Open } open)
            throw new PeerException("a custody conversation begins with its workload");
        var reader = new CustodyReader(open.Body.Span);
        return (reader.Workload(), reader.Int64(), reader.Guid(), reader.Int64());
    }

    /// <summary>Those who listen on the node where the copy runs hear its results too.</summary>
    private void PublishConfirmed(IReadOnlyList<SensorMessage> results)
    {
        foreach (var result in results)
            broker.Publish(result);
    }

    private async Task ReceiveAsync(
        IPeerConversation conversation, Outlet outlet, Lane lane, Action<long, IReadOnlyList<SensorMessage>> answer, CancellationToken cancel)
    {
        while (await conversation.ReceiveAsync(cancel) is { } frame)
            switch ((CustodyFrame)frame.Type)
            {
                case CustodyFrame.Input:
                    var (sequence, message) = ReadInput(frame.Body.Span);
                    _heard.Heard(outlet.Workload, conversation.Peer);
                    lane.Offer(answer, sequence, message);
                    break;
                case CustodyFrame.Committed:
                    PublishConfirmed(lane.Committed(new CustodyReader(frame.Body.Span).Int64()));
                    break;
                default:
                    throw new PeerException($"frame {frame.Type} from an inlet");
            }
    }

    private static (long, SensorMessage) ReadInput(ReadOnlySpan<byte> body)
    {
        var reader = new CustodyReader(body);
        return (reader.Int64(), reader.Message());
    }

    private static async Task AnswerAsync(
        IPeerConversation conversation, ChannelReader<(long Sequence, IReadOnlyList<SensorMessage> Results)> answers, CancellationToken cancel)
    {
        var writer = new CustodyWriter();
        await foreach (var (sequence, results) in answers.ReadAllAsync(cancel))
            await conversation.SendAsync((byte)CustodyFrame.Processed, writer.Begin().Int64(sequence).Messages(results).Written, cancel);
    }
}
