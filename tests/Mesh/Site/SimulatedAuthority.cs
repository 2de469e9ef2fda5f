using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Tests.Site;

/// <summary>Site cores on a virtual clock, with their seals; conversations between them are lost as the test says. Node 1 holds the authority.</summary>
internal sealed class SimulatedAuthority : IDisposable
{
    private readonly Random _random;
    private readonly Dictionary<NodeId, SiteCore> _cores = [];
    private readonly Dictionary<NodeId, DatagramSeal> _seals = [];

    public SimulatedAuthority(TestSite site, int nodes, int seed, Func<int, SiteStart>? start = null)
    {
        Site = site;
        _random = new Random(seed);
        for (var i = 1; i <= nodes; i++)
            Add(i, start?.Invoke(i) ?? site.Start(TestSite.Node(i), issues: i == 1));
        foreach (var core in _cores)
            core.Value.MembersAre(Others(core.Key), Now);
    }

    public TestSite Site { get; }

    public Instant Now { get; private set; } = new(1_000_000);

    /// <summary>What the clocks say: by node, milliseconds since 1970.</summary>
    public Func<NodeId, long> Clock { get; set; } = static _ => TestSite.Today;

    /// <summary>Whether a conversation between the two comes about.</summary>
    public Func<NodeId, NodeId, bool> Reaches { get; set; } = static (_, _) => true;

    public List<(NodeId Node, NodeEvent Happened)> Events { get; } = [];

    public int Conversations { get; private set; }

    public SiteCore this[int number] => _cores[TestSite.Node(number)];

    public IReadOnlyCollection<SiteCore> All => _cores.Values;

    public void Run(TimeSpan span)
    {
        for (var end = Now + span; Now < end; Now += TimeSpan.FromMilliseconds(100))
            foreach (var (id, core) in _cores.ToArray())
            {
                core.Advance(Clock(id) + Now.Microseconds / 1000, Now);
                Drain(id, core);
            }
    }

    /// <summary>A datagram from one node to another.</summary>
    public OpenOutcome Send(int from, int to)
    {
        var datagram = new byte[64];
        var length = _seals[TestSite.Node(from)].Seal([1, 2, 3], datagram);
        var outcome = _seals[TestSite.Node(to)].Open(datagram.AsSpan(0, length), new byte[64], out _);
        if (outcome == OpenOutcome.UnknownKey)
            this[to].StrangeDatagram(TestSite.Address(from), Now);
        return outcome;
    }

    /// <summary>Exchanges turns until the opener has no more to say.</summary>
    public static int Converse(SiteCore one, NodeId oneId, SiteCore other, NodeId otherId, Instant now, bool mayOnlyRenew = false)
    {
        var opener = one.Converse(otherId, isOpener: true, mayOnlyRenew: false);
        var answerer = other.Converse(oneId, isOpener: false, mayOnlyRenew);
        var turns = 1;
        for (var turn = opener.Open(now); turn is not null; turns++)
            turn = opener.Answer(OverTheWire(answerer.Answer(OverTheWire(turn), now)!), now);
        return turns;
    }

    public void Dispose()
    {
        foreach (var seal in _seals.Values)
            seal.Dispose();
    }

    public void Drain(NodeId id, SiteCore core)
    {
        while (core.Outbox.TryDequeue(out var action))
            if (action is UseKeys use)
                _seals[id].Use(use.Keys, use.SendWith);
            else if (action is Contact contact)
                Contact(id, core, contact);
        while (core.Events.TryDequeue(out var happened))
            Events.Add((id, happened));
    }

    private void Contact(NodeId id, SiteCore core, Contact contact)
    {
        var peer = contact.Peer ?? _cores.Keys.First(one => AddressOf(one).Equals(contact.Address));
        // Conversations of a revoked node do not come about; neither do those that the test loses.
        if (!Reaches(id, peer) || !_cores.TryGetValue(peer, out var other) || Refuses(core, peer) || Refuses(other, id))
            return;
        Conversations++;
        try
        {
            Converse(core, id, other, peer, Now, other.View(Now).HasExpired(core.View(Now).Own, Now));
        }
        catch (PeerException)
        {
            // One side is told of it by the end of the conversation.
        }
    }

    private bool Refuses(SiteCore core, NodeId peer) => core.View(Now).Revocations.Has(_cores[peer].View(Now).Own.KeyHash);

    private void Add(int number, SiteStart start)
    {
        var core = new SiteCore(start, new Random(_random.Next()), Now);
        _cores.Add(start.Self, core);
        _seals.Add(start.Self, new DatagramSeal(start.Keys.Keys, start.Keys.Newest.Number));
        Assert.Equal(TestSite.Node(number), start.Self);
    }

    private MemberView[] Others(NodeId self) =>
        Enumerable.Range(1, _cores.Count).Where(number => TestSite.Node(number) != self).Select(number => TestSite.Member(number)).ToArray();

    private static System.Net.IPEndPoint AddressOf(NodeId id) => TestSite.Address(int.Parse(id.Name["node-".Length..]));

    private static SiteMessage[] OverTheWire(IReadOnlyList<SiteMessage> turn) => turn.Select(message =>
    {
        var (type, body) = message.Write();
        return SiteMessage.Read(type, body)!;
    }).ToArray();
}
