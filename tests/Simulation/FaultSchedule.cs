using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Simulation;

/// <summary>One random life of a site: users deploy, move and remove while nodes crash, links break and work fails; then everything heals.
/// The seed decides all of it.</summary>
public sealed class FaultSchedule
{
    private const int Steps = 40;

    /// <summary>Within this of the last fault everything has one owner and one copy: a hand-over is given up after 30 s, twice at most; a lease
    /// ends after 30 s.</summary>
    private static readonly TimeSpan SettledWithin = TimeSpan.FromSeconds(90);

    private static readonly Offer[] Roomy = [Samples.MessagingOnly, Samples.StorageOnly, Samples.Offer, Samples.Offer];
    private static readonly Offer[] Tight = [Samples.MessagingOnly, Samples.StorageOnly, Samples.StorageOnly, Samples.Offer];

    private readonly Random _random;
    private readonly SimulatedSite _site;
    private readonly SiteInvariants _invariants;
    private readonly List<Asked> _asked = [];
    private readonly Dictionary<WorkloadId, Fate> _fates = [];
    private readonly double _workFaults;
    private readonly bool _partitions;
    private readonly Offer[] _levels;
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

        /// <summary>The only card that knew of it, or of its removal, is gone.</summary>
        public bool IsForgotten { get; set; }

        public bool MustLive => IsDeployed && !IsRemovalAsked && !IsForgotten;
    }

    public FaultSchedule(int seed, int traceMax = 0, PlantedBug planted = PlantedBug.None)
    {
        _random = new Random(seed);
        _site = new SimulatedSite(_random.Next(2, 6), _random.Next()) { TraceMax = traceMax, Planted = planted };
        _invariants = new SiteInvariants(_site);
        _workFaults = _random.Next(3) == 0 ? 0 : 0.25 * _random.NextDouble();
        _partitions = _random.Next(3) > 0;
        _levels = _random.Next(3) > 0 ? Roomy : Tight;
        _site.Links.Loss = _random.Next(2) * 0.2 * _random.NextDouble();
        _site.Links.Duplication = _random.Next(2) * 0.2;
        _site.Links.Reordering = _random.Next(2) * 0.2 * _random.NextDouble();
        _site.Watch = Watch;
        foreach (var node in _site.Nodes)
        {
            node.SaveDuration = TimeSpan.FromMilliseconds(_random.Next(8) == 0 ? _random.Next(200, 3000) : _random.Next(1, 60));
            node.Engine.Outcome = _ => _random.NextDouble() < _workFaults ? "the engine says no" : "";
            var ordinary = node.Engine.Duration;
            node.Engine.Duration = work => ordinary(work) * (0.2 + (3 * _random.NextDouble() * _random.NextDouble() * _random.NextDouble() * 4));
        }
    }

    public long EventsDone => _site.Events.Done;

    public TimeSpan Simulated { get; private set; }

    public string Trace => _site.TraceText;

    public ulong Fingerprint => _site.Fingerprint;

    /// <summary>How often a node came to hold a workload.</summary>
    public int Held => _site.Nodes.Sum(node => node.Told.Count(told => told.Kind == "held"));

    /// <summary>How long after the last fault the site was settled.</summary>
    public TimeSpan Settling { get; private set; }

    /// <summary>What a node sent in all, divided by the time, at most.</summary>
    public double BytesASecondMax { get; private set; }

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
        var healed = _site.Events.Now;
        while (_fault.Length == 0 && _site.Events.Now - healed < SettledWithin)
        {
            _site.RunUntil(() => _fault.Length > 0, 2);
            if (Settled().Length > 0)
                Settling = _site.Events.Now - healed;
        }
        Simulated = _site.Events.Now - began;
        BytesASecondMax = _site.Nodes.Max(node => node.BytesSent) / Simulated.TotalSeconds;
        return _fault.Length > 0 ? _fault : Settled();
    }

    private void Watch()
    {
        if (_fault.Length == 0)
            _fault = _invariants.Violated() is { Length: > 0 } violated ? violated : _invariants.Overspent();
        foreach (var (id, fate) in _fates)
            if (_fault.Length == 0 && fate.MustLive)
                _fault = _invariants.Lost(id);
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
        switch (_random.Next(20))
        {
            case 0 or 1 when node.IsUp && _fates.Count < 4:
                Deploy(node);
                break;
            case 3 or 4 when node.IsUp && _levels == Tight:
                node.Ask((core, now) => core.LetGo("it may fail", now));
                break;
            case 2 or 3 or 4 when node.IsUp && _fates.Count > 0:
                var to = _random.Next(2) == 0 ? (NodeId?)null : _site.Nodes[_random.Next(_site.Nodes.Count)].Id;
                Ask(node, (operation, core, now) => core.Move(operation, Any(), to, "asked", now), _ => { });
                break;
            case 5 when node.IsUp && _fates.Count > 0 && _random.Next(3) == 0:
                Remove(node);
                break;
            case 6 when node.IsUp:
                Crash(node);
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
                node.Offer = _levels[_random.Next(_levels.Length)];
                if (_levels == Tight)
                    foreach (var one in _site.Nodes)
                        one.Offer = _levels[_random.Next(_levels.Length)];
                Note(() => $"{node.Id.Name} is at level {(int)node.Offer.Level}");
                break;
            case 12:
                node.IsDiskFull = _random.Next(4) == 0;
                break;
            case 13 when node.IsUp && _fates.Count > 0:
                if (_random.Next(4) is var what && what == 0)
                    node.Ask((core, now) => core.Relieve("overloaded", now));
                else if (what < 3)
                    node.Ask((core, now) => core.LetGo("it may fail", now));
                else if (Any() is var id && node.Engine.Kill(id))
                    node.Ask((core, now) => core.CopyEnded(id, finished: false, "killed", now));
                break;
            case 14 when _partitions:
                var other = _site.Nodes[_random.Next(_site.Nodes.Count)];
                if (other == node)
                    break;
                Note(() => $"{node.Id.Name} does not reach {other.Id.Name} any more");
                _site.Links.CutOneWay(node.Id, other.Id);
                break;
            case 15 when _partitions:
                Clog();
                break;
            case 16 or 17 when node.IsUp:
                Note(() => $"{node.Id.Name} is stopped");
                node.Pause();
                _site.Events.After(TimeSpan.FromSeconds(12 * _random.NextDouble() * _random.NextDouble()), node.Continue);
                break;
            case 18 when node.IsUp:
                var draining = !node.Core!.IsDraining;
                Ask(node, (operation, core, now) => core.Drain(operation, draining, now), _ => { });
                break;
            case 19 when node.IsUp && _fates.Count > 0:
                Ask(node, (operation, core, now) => core.Explain(operation, Any(), now), _ => { });
                break;
        }
    }

    private void Crash(SimulatedNode node)
    {
        Note(() => $"{node.Id.Name} crashes");
        node.Crash();
        if (_random.Next(6) > 0)
            return;
        Note(() => $"{node.Id.Name} loses its disk");
        foreach (var (id, fate) in _fates)
            fate.IsForgotten |= node.Disk.ContainsKey(id) && !_site.Nodes.Any(other => other != node && other.Disk.TryGetValue(id, out var record)
                && (record.State == WorkloadState.Removed) == (node.Disk[id].State == WorkloadState.Removed));
        node.LoseDisk();
    }

    /// <summary>Links break one after the other and come back in another order (FoundationDB's "swizzle-clogging").</summary>
    private void Clog()
    {
        Note(() => "links clog one by one");
        foreach (var a in _site.Nodes)
            foreach (var b in _site.Nodes)
            {
                if (a == b || _random.Next(3) > 0)
                    continue;
                _site.Events.After(TimeSpan.FromSeconds(4 * _random.NextDouble()), () => _site.Links.CutOneWay(a.Id, b.Id));
                _site.Events.After(TimeSpan.FromSeconds(4 + (8 * _random.NextDouble())), () => _site.Links.Mend(a.Id, b.Id));
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
        _site.Links.Reordering = 0;
        foreach (var node in _site.Nodes)
        {
            node.Continue();
            node.IsDiskFull = false;
            node.SaveDuration = TimeSpan.FromMilliseconds(5);
            node.Offer = Samples.Offer;
            node.Engine.Outcome = _ => "";
            if (!node.IsUp)
                node.Start();
            node.Ask((core, now) => core.Drain(Guid.Empty, draining: false, now));
        }
    }

    private string Settled()
    {
        foreach (var (id, fate) in _fates)
            if (_invariants.Unsettled(id, fate.MustLive, fate is { IsRemoved: true, IsForgotten: false }) is { Length: > 0 } fault)
                return fault;
        return _asked.Count == 0 ? "" : $"{_asked.Count} operations never ended, one on {_asked[0].Node.Id.Name}";
    }

    private void Note(Func<string> line) => _site.Trace(() => "-- " + line());
}
