using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Simulation;

/// <summary>One random life of a site: users deploy, move and remove while nodes crash, links break and work fails; then everything heals.
/// The seed decides all of it.</summary>
public sealed class FaultSchedule
{
    private const int Steps = 40;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(200);

    private readonly Random _random;
    private readonly SimulatedSite _site;
    private readonly SiteInvariants _invariants;
    private readonly List<Asked> _asked = [];
    private readonly Dictionary<WorkloadId, Fate> _fates = [];
    private readonly double _workFaults;
    private readonly bool _partitions;
    private string _fault = "";

    private sealed record Asked(SimulatedNode Node, int Boot, Guid Operation, Action<Answer> Ended)
    {
        public bool IsOver { get; set; }
    }

    private sealed class Fate
    {
        public bool IsDeployed { get; set; }

        public bool IsRemovalAsked { get; set; }

        public bool IsRemoved { get; set; }
    }

    public FaultSchedule(int seed, int traceMax = 0)
    {
        _random = new Random(seed);
        _site = new SimulatedSite(_random.Next(2, 6), _random.Next()) { TraceMax = traceMax };
        _invariants = new SiteInvariants(_site);
        _workFaults = _random.Next(3) == 0 ? 0 : 0.25 * _random.NextDouble();
        _partitions = _random.Next(3) > 0;
        _site.Links.Loss = _random.Next(2) * 0.2 * _random.NextDouble();
        _site.Links.Duplication = _random.Next(2) * 0.2;
        _site.Watch = Watch;
        foreach (var node in _site.Nodes)
        {
            node.SaveDuration = TimeSpan.FromMilliseconds(_random.Next(1, 60));
            node.Engine.Outcome = _ => _random.NextDouble() < _workFaults ? "the engine says no" : "";
            var ordinary = node.Engine.Duration;
            node.Engine.Duration = work => ordinary(work) * (0.2 + (3 * _random.NextDouble() * _random.NextDouble() * _random.NextDouble() * 4));
        }
    }

    public long EventsDone => _site.Events.Done;

    public TimeSpan Simulated { get; private set; }

    public string Trace => _site.TraceText;

    /// <returns>What was violated; empty when everything held.</returns>
    public string Run()
    {
        var began = _site.Events.Now;
        _site.Run(1);
        for (var step = 0; step < Steps && _fault.Length == 0; step++)
        {
            Disturb();
            _site.RunUntil(() => _fault.Length > 0, _random.Next(4) == 0 ? 5 * _random.NextDouble() : _random.NextDouble());
        }
        Heal();
        _site.RunUntil(() => _fault.Length > 0, Quiet.TotalSeconds);
        Simulated = _site.Events.Now - began;
        return _fault.Length > 0 ? _fault : Settled();
    }

    private void Watch()
    {
        if (_fault.Length == 0)
            _fault = _invariants.Violated();
        foreach (var asked in _asked)
            if (!asked.IsOver && asked.Node.Answers.Find(answer => answer.Operation == asked.Operation) is { } answer)
            {
                asked.IsOver = true;
                asked.Ended(answer);
            }
        _asked.RemoveAll(asked => asked.IsOver || asked.Node.Boot != asked.Boot || !asked.Node.IsUp);
    }

    private void Disturb()
    {
        var node = _site.Nodes[_random.Next(_site.Nodes.Count)];
        switch (_random.Next(14))
        {
            case 0 or 1 when node.IsUp && _fates.Count < 4:
                Deploy(node);
                break;
            case 2 or 3 or 4 when node.IsUp && _fates.Count > 0:
                var to = _random.Next(2) == 0 ? (NodeId?)null : _site.Nodes[_random.Next(_site.Nodes.Count)].Id;
                Ask(node, (operation, core, now) => core.Move(operation, Any(), to, "asked", now), _ => { });
                break;
            case 5 when node.IsUp && _fates.Count > 0 && _random.Next(3) == 0:
                Remove(node);
                break;
            case 6 when node.IsUp:
                Note(() => $"{node.Id.Name} crashes");
                node.Crash();
                break;
            case 7 or 8 when !node.IsUp:
                Note(() => $"{node.Id.Name} starts");
                node.Start();
                break;
            case 9 when _partitions:
                var side = _site.Nodes.Where(_ => _random.Next(2) == 0).Select(one => one.Id).ToList();
                Note(() => $"partition {string.Join(' ', side.Select(id => id.Name))}");
                _site.Links.Partition(side);
                break;
            case 10:
                Note(() => "the network heals");
                _site.Links.Heal();
                break;
            case 11:
                node.Offer = _random.Next(2) == 0 ? Samples.MessagingOnly : Samples.Offer;
                break;
            case 12:
                node.IsDiskFull = _random.Next(4) == 0;
                break;
            case 13 when node.IsUp && _fates.Count > 0:
                if (_random.Next(2) == 0)
                    node.Ask((core, now) => core.Relieve("overloaded", now));
                else if (Any() is var id && node.Engine.Kill(id))
                    node.Ask((core, now) => core.CopyEnded(id, finished: false, "killed", now));
                break;
        }
    }

    private void Deploy(SimulatedNode node)
    {
        var spec = _random.Next(2) == 0 ? Samples.Workload($"w{_fates.Count}") : Samples.WithVolumes($"w{_fates.Count}");
        var fate = _fates[spec.Id] = new Fate();
        Ask(node, (operation, core, now) => core.Deploy(operation, spec, now), answer => fate.IsDeployed = answer.Fault.Length == 0);
    }

    private void Remove(SimulatedNode node)
    {
        var id = Any();
        var fate = _fates[id];
        fate.IsRemovalAsked = true;
        Ask(node, (operation, core, now) => core.Remove(operation, id, "asked", now), answer => fate.IsRemoved |= answer.Fault.Length == 0);
    }

    private void Ask(SimulatedNode node, Action<Guid, NegotiationCore, Instant> command, Action<Answer> ended)
    {
        var bytes = new byte[16];
        _random.NextBytes(bytes);
        var operation = new Guid(bytes);
        Note(() => $"{node.Id.Name} is asked");
        _asked.Add(new Asked(node, node.Boot, operation, ended));
        node.Ask((core, now) => command(operation, core, now));
    }

    private WorkloadId Any() => _fates.Keys.ElementAt(_random.Next(_fates.Count));

    private void Heal()
    {
        Note(() => "everything heals");
        _site.Links.Heal();
        _site.Links.Loss = 0;
        foreach (var node in _site.Nodes)
        {
            node.IsDiskFull = false;
            node.Offer = Samples.Offer;
            node.Engine.Outcome = _ => "";
            if (!node.IsUp)
                node.Start();
        }
    }

    private string Settled()
    {
        foreach (var (id, fate) in _fates)
            if (_invariants.Unsettled(id, fate.IsDeployed && !fate.IsRemovalAsked, fate.IsRemoved) is { Length: > 0 } fault)
                return fault;
        return _asked.Count == 0 ? "" : $"{_asked.Count} operations never ended, one on {_asked[0].Node.Id.Name}";
    }

    private void Note(Func<string> line) => _site.Trace(() => "-- " + line());
}
