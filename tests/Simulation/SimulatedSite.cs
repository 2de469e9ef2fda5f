using System.Net;
using System.Text.Json;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;
using EdgeFirmware.Mesh.Shell;

namespace EdgeFirmware.Simulation;

/// <summary>Nodes that negotiate over simulated links. Membership is ideal but late: each node learns after a delay of its own who is
/// silent, and soon who is back.</summary>
public sealed class SimulatedSite
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<NodeId, SimulatedNode> _nodes;
    private readonly Dictionary<(NodeId By, NodeId Of), Instant> _silentSince = [];
    private readonly Dictionary<(NodeId By, NodeId Of), Instant> _backAt = [];
    private readonly Dictionary<NodeId, List<MemberView>> _views = [];
    private readonly Queue<string> _trace = [];

    public SimulatedSite(int nodes, int seed = 1, NegotiationTiming? timing = null)
    {
        Timing = timing ?? new NegotiationTiming();
        Random = new Random(seed);
        Links = new Links(Random);
        _nodes = Enumerable.Range(1, nodes).Select(Samples.Node).ToDictionary(id => id, id => new SimulatedNode(id, this));
        Events.AfterEach = () => Watch?.Invoke();
        foreach (var node in Nodes)
            node.Start();
        Look();
    }

    public EventQueue Events { get; } = new();

    public Random Random { get; }

    public Links Links { get; }

    public int VolumesMade { get; set; }

    public PlantedBug Planted { get; set; }

    /// <summary>Who has not heard of whom.</summary>
    public HashSet<(NodeId By, NodeId Of)> Strangers { get; } = [];

    /// <summary>Of everything that was said and done, in order: equal for equal seeds. FNV-1a.</summary>
    public ulong Fingerprint { get; private set; } = 14695981039346656037;

    /// <summary>The next node in order.</summary>
    public SimulatedNode After(SimulatedNode node) => Nodes[(Nodes.ToList().IndexOf(node) + 1) % Nodes.Count];

    public void Mark(ReadOnlySpan<byte> what)
    {
        var hash = Fingerprint;
        foreach (var b in BitConverter.GetBytes(Events.Now.Microseconds))
            hash = (hash ^ b) * 1099511628211;
        foreach (var b in what)
            hash = (hash ^ b) * 1099511628211;
        Fingerprint = hash;
    }

    public NegotiationTiming Timing { get; }

    public IReadOnlyList<SimulatedNode> Nodes => [.. _nodes.Values];

    public SimulatedNode this[int number] => _nodes[Samples.Node(number)];

    /// <summary>Called after every event, for invariants.</summary>
    public Action? Watch { get; set; }

    /// <summary>Lines of the trace that are kept; 0 = no trace.</summary>
    public int TraceMax { get; set; }

    public string TraceText => string.Join('\n', _trace);

    public TimeSpan SilenceMin { get; set; } = TimeSpan.FromSeconds(2);

    public TimeSpan SilenceMax { get; set; } = TimeSpan.FromSeconds(4);

    /// <summary>Of the dead that can be reached again, each is seen at most this much later.</summary>
    public TimeSpan ReturnMax { get; set; } = TimeSpan.FromSeconds(1);

    public SimulatedNode Find(NodeId id) => _nodes[id];

    public void Run(double seconds) => Events.Run(TimeSpan.FromSeconds(seconds));

    public bool RunUntil(Func<bool> isOver, double secondsMax = 60) => Events.RunUntil(isOver, TimeSpan.FromSeconds(secondsMax));

    public void Trace(Func<string> line)
    {
        if (TraceMax == 0)
            return;
        _trace.Enqueue($"{Events.Now.Microseconds / 1e6 - 1000:0.000} {line()}");
        while (_trace.Count > TraceMax)
            _trace.Dequeue();
    }

    public void Carry(SimulatedNode from, NodeId to, PeerMessage message)
    {
        Trace(() => $"{from.Id.Name} to {to.Name}: {Describe(message)}");
        var bytes = JsonSerializer.SerializeToUtf8Bytes(message, MeshJson.Default.PeerMessage);
        Mark(bytes);
        from.BytesSent += bytes.Length * (Planted == PlantedBug.Floods ? 100 : 1);
        if (!_nodes.TryGetValue(to, out var receiver))
            return;
        foreach (var delay in Links.Arrivals(from.Id, to))
            Events.After(delay, () =>
            {
                if (receiver.IsUp && Links.IsOpen(from.Id, to))
                    receiver.Hear(JsonSerializer.Deserialize(bytes, MeshJson.Default.PeerMessage)!, from.Id);
            });
    }

    /// <summary>It will know nobody when it starts again.</summary>
    public void Forget(SimulatedNode node)
    {
        _views.Remove(node.Id);
        foreach (var table in new[] { _silentSince, _backAt })
            foreach (var key in table.Keys.Where(key => key.By == node.Id).ToList())
                table.Remove(key);
    }

    private void Look()
    {
        foreach (var node in _nodes.Values)
            if (node is { IsUp: true, IsPaused: false })
                Look(node);
        Events.After(LookInterval, Look);
    }

    private void Look(SimulatedNode by)
    {
        var old = _views.GetValueOrDefault(by.Id, []);
        var view = new List<MemberView>();
        foreach (var of in _nodes.Values)
        {
            if (of == by || Strangers.Contains((by.Id, of.Id)))
                continue;
            var before = old.Find(member => member.Id == of.Id);
            var pair = (by.Id, of.Id);
            var isHeard = IsHeard(by, of);
            var status = isHeard ? MemberStatus.Alive : before?.Status;
            if (isHeard && before?.Status == MemberStatus.Dead && !IsSeenAgain(pair))
                status = MemberStatus.Dead;
            else if (!isHeard && before?.Status == MemberStatus.Alive)
                status = IsSilentTooLong(pair) ? MemberStatus.Dead : MemberStatus.Alive;
            if (isHeard)
                _silentSince.Remove(pair);
            if (!isHeard || status == MemberStatus.Alive)
                _backAt.Remove(pair);
            if (status is { } known)
                view.Add(new MemberView(
                    of.Id, new IPEndPoint(IPAddress.Loopback, 7900), known, 0, known == MemberStatus.Alive ? of.Advertised ?? of.Offer : null,
                    TimeSpan.FromMilliseconds(2), ""));
        }
        _views[by.Id] = view;
        by.Core!.OwnOfferIs(by.Measured);
        if (!view.SequenceEqual(old))
            by.MembersAre(view);
        CompareRecords(by);
    }

    /// <summary>Every third look a probe is answered, with the hash of what the other knows.</summary>
    private void CompareRecords(SimulatedNode by)
    {
        var of = Nodes[Random.Next(_nodes.Count)];
        if (Random.Next(3) == 0 && of != by && !Strangers.Contains((by.Id, of.Id)) && IsHeard(by, of) && of.Core!.RecordsHash != by.Core!.RecordsHash)
            by.RecordsDiffer(of.Id);
    }

    /// <summary>It answers a probe, or one through a third node (SWIM, section 3.1).</summary>
    private bool IsHeard(SimulatedNode by, SimulatedNode of)
    {
        if (!Answers(of))
            return false;
        if (Links.IsOpenBothWays(by.Id, of.Id))
            return true;
        foreach (var third in _nodes.Values)
            if (third != by && third != of && Answers(third) && Links.IsOpenBothWays(by.Id, third.Id) && Links.IsOpenBothWays(third.Id, of.Id))
                return true;
        return false;

        static bool Answers(SimulatedNode of) => of is { IsUp: true, IsPaused: false };
    }

    private bool IsSilentTooLong((NodeId, NodeId) pair)
    {
        if (!_silentSince.TryGetValue(pair, out var until))
            _silentSince[pair] = until = Events.Now + SilenceMin + ((SilenceMax - SilenceMin) * Random.NextDouble());
        return until <= Events.Now;
    }

    private bool IsSeenAgain((NodeId, NodeId) pair)
    {
        if (!_backAt.TryGetValue(pair, out var at))
            _backAt[pair] = at = Events.Now + (ReturnMax * Random.NextDouble());
        return at <= Events.Now;
    }

    private static string Describe(PeerMessage message) => message switch
    {
        Records { Known: var known } => $"records {string.Join("; ", known.Select(Describe))}",
        Activate { Record: var record } => $"activate {Describe(record)}",
        Activated { Record: var record } => $"activated {Describe(record)}",
        Ask ask => $"ask {ask.Spec.Id} epoch {ask.Epoch}",
        _ => message.ToString(),
    };

    private static string Describe(WorkloadRecord record) => $"{record.Id} {record.Epoch}.{record.Revision} {record.Owner.Name} {record.State}";
}
