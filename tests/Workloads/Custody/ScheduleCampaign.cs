using EdgeFirmware.Contracts;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Tests.Support;

namespace EdgeFirmware.Workloads.Tests.Custody;

/// <summary>Random moves, deaths of owners, power cuts of nodes that hear, cuts of connections and crashes of copies, while two nodes hear inputs. What must hold:
/// <list type="bullet">
/// <item>on the node that heard an input, its results are published exactly once, in the order of the inputs, and none is missing;</item>
/// <item>on the other nodes, they are published at most once.</item>
/// </list>
/// The copy itself may get a message again when its owner died, when its connection broke before it acknowledged, or when a planned move did not
/// wait for the inlet's confirmation; its results still come out once.</summary>
public sealed class ScheduleCampaign
{
    private const int Steps = 60;
    private const int NodeCount = 3;

    private readonly PairedNetwork _network = new();
    private readonly DeskNode[] _nodes;
    private readonly int[] _heard = new int[NodeCount];
    private WorkloadRecord _record = null!;
    private RunningCopy? _copy;

    public ScheduleCampaign() => _nodes = Enumerable.Range(0, NodeCount).Select(number => new DeskNode(_network, number + 1)).ToArray();

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 25)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Every_input_has_its_results_once_and_in_order(int seed)
    {
        var random = new Random(seed);
        foreach (var node in _nodes)
            node.Broker.SyncsAtOnce = random.Next(2) == 0;
        await StartAsync(random.Next(NodeCount), random);
        for (var step = 0; step < Steps; step++)
        {
            await StepAsync(random);
            if (random.Next(3) == 0)
                await Task.Delay(random.Next(3)); // lets the schedule and the copy overlap differently; nothing waits for it
        }
        _network.Judge = (_, _, _) => Fate.Pass;
        foreach (var node in _nodes)
        {
            node.Broker.SyncsAtOnce = true;
            node.Broker.Sync();
        }
        await Within.UntilAsync(() => _nodes.All(node => node.Waiting == 0), () => $"seed {seed}: waiting {string.Join(' ', _nodes.Select(node => node.Waiting))}");
        await _copy!.EndAsync();
        foreach (var node in _nodes)
        {
            Assert.False(node.Desk.Completion.IsFaulted, node.Desk.Completion.Exception?.ToString());
            node.Dispose();
        }
        Assert.Empty(_network.Bugs);
        for (var i = 0; i < NodeCount; i++)
        {
            var own = _nodes[i].Broker.Published.Where(text => text.StartsWith($"n{i}:", StringComparison.Ordinal));
            Assert.Equal(Enumerable.Range(0, _heard[i]).SelectMany(number => ResultsOf($"n{i}:{number}")), own);
            var others = _nodes[i].Broker.Published.Where(text => !text.StartsWith($"n{i}:", StringComparison.Ordinal)).ToList();
            Assert.Equal(others.Distinct(), others);
        }
    }

    private static IEnumerable<string> ResultsOf(string input) =>
        Enumerable.Range(0, input[^1] % 3).Select(part => $"{input}/{part}");

    private async Task StepAsync(Random random)
    {
        switch (random.Next(12))
        {
            case < 5:
                var sensor = random.Next(2);
                for (var i = random.Next(1, 8); i > 0; i--)
                    _nodes[sensor].Hear($"n{sensor}:{_heard[sensor]++}");
                break;
            case 5:
                await MoveAsync(random, isPlanned: true);
                break;
            case 6:
                await MoveAsync(random, isPlanned: false);
                break;
            case 7:
                _network.Cut(_nodes[random.Next(NodeCount)].Id);
                break;
            case 8:
                var (left, fate) = (random.Next(1, 30), random.Next(2) == 0 ? Fate.CutBefore : Fate.CutAfter);
                _network.Judge = (_, _, _) => Interlocked.Decrement(ref left) == 0 ? fate : Fate.Pass;
                break;
            case 9:
                _nodes[random.Next(NodeCount)].Broker.Sync();
                break;
            case 10:
                await LosePowerAsync(random);
                break;
            default:
                _copy!.Crash();
                break;
        }
    }

    /// <summary>A node that hears dies and comes back; a copy that ran there goes elsewhere first. Sensors send again what was not acknowledged.</summary>
    private async Task LosePowerAsync(Random random)
    {
        var node = _nodes[random.Next(2)];
        while (_record.Owner == node.Id)
            await MoveAsync(random, isPlanned: false);
        foreach (var message in node.LosePower(_record))
            node.Hear(message);
    }

    private async Task MoveAsync(Random random, bool isPlanned)
    {
        if (isPlanned)
            await Task.WhenAny(_copy!.Outlet.PauseAsync(), Task.Delay(20)); // an inlet that is out of reach is not waited for without end
        var (old, wasOn) = (_copy!, _nodes.Single(node => node.Id == _record.Owner));
        if (!isPlanned)
        {
            _network.Unplug(wasOn.Id);
            wasOn.Plug();
        }
        wasOn.Desk.Close(old.Outlet);
        await old.EndAsync();
        await StartAsync(random.Next(NodeCount), random);
    }

    private Task StartAsync(int on, Random random)
    {
        _record = Samples.Record(_nodes[on].Id, (_record?.Epoch ?? 0) + 1);
        _copy = new RunningCopy(_nodes[on], _record.Epoch);
        foreach (var node in _nodes.OrderBy(_ => random.Next()))
            node.Desk.RecordsAre([_record]);
        return Task.CompletedTask;
    }

    /// <summary>The application: takes a message, publishes its results one by one, acknowledges; and starts over when it crashes.</summary>
    private sealed class RunningCopy
    {
        private readonly DeskNode _node;
        private readonly CancellationTokenSource _ending = new();
        private readonly Lock _life = new();
        private readonly Task _running;
        private int _crashes;

        public RunningCopy(DeskNode node, long epoch)
        {
            _node = node;
            Outlet = node.Run(epoch);
            _running = RunAsync();
        }

        public Outlet Outlet { get; }

        /// <summary>Its session ends, and it comes back at once.</summary>
        public void Crash()
        {
            lock (_life)
            {
                _crashes++;
                _node.Desk.OnDisconnected(Samples.Workload, Samples.Workload.Value);
                _node.Broker.Evict(Samples.Workload.Value, "crash");
                _node.Desk.OnSubscribe(Samples.Workload, Samples.Workload.Value, "in/#", 1);
            }
        }

        public async Task EndAsync()
        {
            await _ending.CancelAsync();
            await _running;
            _node.Broker.Evict(Samples.Workload.Value, "ended");
        }

        private async Task RunAsync()
        {
            await Task.Yield();
            try
            {
                while (true)
                {
                    var delivery = await _node.Broker.NextAsync(_ending.Token);
                    var life = _crashes;
                    foreach (var result in ResultsOf(delivery.Text))
                    {
                        await Task.Yield();
                        lock (_life)
                            if (life == _crashes && !delivery.IsSettled)
                                _node.Say(result);
                    }
                    lock (_life)
                        if (life == _crashes)
                            delivery.Settle(true);
                }
            }
            catch (OperationCanceledException)
            {
                // moved away
            }
        }
    }
}
