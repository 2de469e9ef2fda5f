using System.Net;
using System.Text;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Overlay.Peers;
using EdgeFirmware.Overlay.Sealing;

namespace EdgeFirmware.Overlay.Tests.Peers;

/// <summary>Nodes with real keys on media that the test owns; each medium is a link of every node. On a clock of their own.</summary>
internal sealed class Cluster : IDisposable
{
    private readonly Random _random;
    private readonly PriorityQueue<Action, (Instant At, long Order)> _agenda = new();
    private readonly byte[] _datagram = new byte[PacketSeal.PacketBytesMax];
    private long _order;
    private int _idle;

    public Cluster(int seed, Func<NodeId, IPeerTrust> trust, int nodes, params Medium[] media)
        : this(seed, trust, nodes, static _ => false, media)
    {
    }

    /// <param name="relays">Which of the nodes do.</param>
    public Cluster(int seed, Func<NodeId, IPeerTrust> trust, int nodes, Func<int, bool> relays, params Medium[] media)
    {
        _random = new Random(seed);
        Media = media;
        for (var number = 1; number <= nodes; number++)
        {
            var id = NodeId.Parse($"gate-{number}/02:00:00:00:00:{number:x2}");
            Nodes.Add(new Node(this, id, trust(id), number, relays(number)));
        }
        foreach (var node in Nodes)
            node.LinksAre();
    }

    public Instant Now { get; private set; } = new(1_000_000_000);

    public Medium[] Media { get; }

    public List<Node> Nodes { get; } = [];

    public Node this[int number] => Nodes[number - 1];

    public void Dispose()
    {
        foreach (var node in Nodes)
            node.Core.Dispose();
    }

    public void Run(double seconds)
    {
        var until = Now + TimeSpan.FromSeconds(seconds);
        foreach (var node in Nodes)
            node.WakesAt = Now;
        while (true)
        {
            var next = Instant.Never;
            foreach (var node in Nodes)
            {
                if (node.WakesAt <= Now)
                {
                    node.Drain();
                    node.WakesAt = node.Core.NextWakeup(Now);
                }
                next = Instant.Min(next, node.WakesAt);
            }
            if (_agenda.TryPeek(out _, out var due))
                next = Instant.Min(next, due.At);
            if (next > until)
                break;
            _idle = next > Now ? 0 : _idle + 1;
            Assert.True(_idle < 1000, "it wants to be called without end");
            Now = next > Now ? next : Now + TimeSpan.FromMicroseconds(1);
            while (_agenda.TryPeek(out _, out due) && due.At <= Now)
                _agenda.Dequeue()();
            foreach (var node in Nodes)
                if (node.WakesAt <= Now)
                    node.Core.Advance(Now);
        }
        Now = until;
    }

    /// <summary>Puts bytes on a medium as if that node had sent them.</summary>
    public void Transmit(Node from, Medium medium, Node to, byte[] datagram)
    {
        if (!medium.Reaches(from.Number, to.Number))
            return;
        medium.Sent.Add(datagram);
        from.Traffic?.Invoke(medium, datagram);
        if (!medium.IsUp || !medium.Has(to.Number) || from.IsDead || to.IsDead || medium.Deaf.Contains((from.Number, to.Number)) || _random.NextDouble() < medium.Loss)
            return;
        _agenda.Enqueue(
            () =>
            {
                to.Core.Handle(medium.Index, medium.AddressOf(from.Number), datagram, Now);
                to.WakesAt = Now;
            },
            (Now + medium.Delay, _order++));
    }

    internal sealed class Node(Cluster cluster, NodeId id, IPeerTrust trust, int number, bool relays)
    {
        private ulong _run = (ulong)number << 32;
        private long _token;

        public NodeId Id => id;

        public int Number => number;

        /// <summary>When it wants to be called, or has something to do.</summary>
        public Instant WakesAt { get; set; }

        /// <summary>Neither says nor hears anything more, and nobody is told.</summary>
        public bool IsDead { get; set; }

        /// <summary>Told of each datagram that it sends.</summary>
        public Action<Medium, byte[]>? Traffic { get; set; }

        /// <summary>May do to what it passes on for others what it likes.</summary>
        public Action<OverlayCore>? Lies { get; set; }

        public OverlayCore Core { get; private set; } = new(id, trust, (ulong)number << 32, new Random(number), relays);

        public List<(NodeId From, string Text)> Got { get; } = [];

        public List<(long Token, bool IsDelivered)> Ended { get; } = [];

        public List<NodeEvent> Events { get; } = [];

        /// <summary>Loses all that it knew.</summary>
        public void Restart()
        {
            Core.Dispose();
            Core = new OverlayCore(id, trust, ++_run, new Random((int)_run), relays);
            LinksAre();
        }

        public void LinksAre() => Core.LinksAre(
            [.. cluster.Media.Where(medium => medium.Has(number)).Select(medium => new KernelLink(
                medium.Name, medium.Index, medium.Kind, false, true, medium.IsUp, [new LinkAddress(medium.AddressOf(number).Address, 24, AddressScope.Global)], []))],
            cluster.Now);

        public void Meet(Node other) => Core.Learn(other.Id, cluster.Media[0].AddressOf(other.Number), 0, cluster.Now);

        public long Send(Node to, string text)
        {
            Assert.True(Core.TrySend(to.Id, 1, Encoding.UTF8.GetBytes(text), ++_token, cluster.Now));
            return _token;
        }

        public void Drain()
        {
            Lies?.Invoke(Core);
            while (Core.Inbox.TryDequeue(out var message))
            {
                Got.Add((message.Peer, Encoding.UTF8.GetString(message.Body.Span)));
                OverlayCore.Settle(message, cluster.Now);
            }
            while (Core.Ended.TryDequeue(out var ended))
                Ended.Add(ended);
            while (Core.Events.TryDequeue(out var happened))
                Events.Add(happened);
            while (Core.Shouts.TryDequeue(out var link))
            {
                var medium = cluster.Media.Single(medium => medium.Index == link);
                foreach (var other in cluster.Nodes)
                    if (other != this && medium.Has(other.Number))
                        cluster.Transmit(this, medium, other, Core.Here);
            }
            for (var i = 0; Core.Poll(cluster._datagram, cluster.Now) is var (path, length); i++)
            {
                Assert.True(i < 10_000, "it sends without end");
                // What the kernel routes goes over the first medium that has the address.
                var medium = cluster.Media.FirstOrDefault(medium => medium.Index == path.Link) ?? cluster.Media.FirstOrDefault(medium => medium.NumberOf(path.Remote) > 0);
                if (medium?.NumberOf(path.Remote) is > 0 and var to && to <= cluster.Nodes.Count)
                    cluster.Transmit(this, medium, cluster[to], cluster._datagram[..length]);
            }
        }
    }
}

/// <summary>A link of some nodes, or of all; may be changed at any time.</summary>
/// <param name="nodes">Whose link it is; none: everybody's.</param>
internal sealed class Medium(string name, int index, LinkKind kind, params int[] nodes)
{
    public string Name => name;

    public int Index => index;

    public LinkKind Kind => kind;

    public TimeSpan Delay { get; set; } = TimeSpan.FromMilliseconds(3);

    public double Loss { get; set; }

    public bool IsUp { get; set; } = true;

    /// <summary>From and to: nothing passes, and nobody is told.</summary>
    public HashSet<(int, int)> Deaf { get; } = [];

    public List<byte[]> Sent { get; } = [];

    /// <summary>From and to: who is near enough, where not everybody is.</summary>
    public Func<int, int, bool> Reaches { get; init; } = static (_, _) => true;

    public bool Has(int node) => nodes.Length == 0 || Array.IndexOf(nodes, node) >= 0;

    public IPEndPoint AddressOf(int node) => new(IPAddress.Parse($"10.{index}.0.{node}"), 61616);

    public int NumberOf(IPEndPoint address) => address.Address.GetAddressBytes() is [10, var medium, 0, var number] && medium == index ? number : 0;
}
