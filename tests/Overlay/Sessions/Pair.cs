using System.Buffers.Binary;
using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Links;
using EdgeFirmware.Overlay.Paths;
using EdgeFirmware.Overlay.Sealing;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Tests.Sessions;

/// <summary>Two ends of a session and the ways between them, on a clock of their own. Everything random comes from the seed.</summary>
internal sealed class Pair
{
    private readonly Random _random;
    private readonly PriorityQueue<Action, (Instant At, long Order)> _agenda = new();
    private readonly byte[] _packet = new byte[PacketSeal.PlainBytesMax];
    private long _order;
    private int _idle;

    public Pair(int seed, params Way[] ways)
    {
        _random = new Random(seed);
        Ways = ways;
        (Left, Right) = (new End(this, 1), new End(this, 2));
        foreach (var way in ways)
        {
            Left.Session.Learn(way.KeyTo(2), way.Name, way.Kind, Now)!.Met(Now);
            Right.Session.Learn(way.KeyTo(1), way.Name, way.Kind, Now)!.Met(Now);
        }
    }

    public Instant Now { get; private set; } = new(1_000_000_000);

    public Way[] Ways { get; }

    public End Left { get; }

    public End Right { get; }

    /// <summary>Lets time pass; whatever is to be done by the clock is done in order.</summary>
    public void Run(double seconds)
    {
        var until = Now + TimeSpan.FromSeconds(seconds);
        while (true)
        {
            Left.Drain();
            Right.Drain();
            var next = Instant.Min(Left.Session.NextWakeup(Now), Right.Session.NextWakeup(Now));
            if (_agenda.TryPeek(out _, out var due))
                next = Instant.Min(next, due.At);
            if (next > until)
                break;
            if (next <= Now && ++_idle > 1000)
                Assert.Fail("it wants to be called without end: " + string.Join(" | ", new[] { Left, Right }.Select(end => end.Describe())));
            _idle = next > Now ? 0 : _idle;
            Now = next > Now ? next : Now + TimeSpan.FromMicroseconds(1);
            while (_agenda.TryPeek(out _, out due) && due.At <= Now)
                _agenda.Dequeue()();
            Left.Session.Advance(Now);
            Right.Session.Advance(Now);
        }
        Now = until;
    }

    public void At(double secondsFromNow, Action action) => _agenda.Enqueue(action, (Now + TimeSpan.FromSeconds(secondsFromNow), _order++));

    /// <summary>The link's carrier as both ends see it.</summary>
    public void Carrier(Way way, bool isUp)
    {
        way.IsUp = isUp;
        Left.Session.LinkIs(way.Link, isUp, Now);
        Right.Session.LinkIs(way.Link, isUp, Now);
    }

    private void Transmit(End from, Way way, byte[] packet)
    {
        var to = from == Left ? Right : Left;
        var loss = from == Left ? way.LossRight : way.LossLeft;
        way.Packets++;
        way.Bytes += packet.Length;
        if (!way.IsUp || way.IsBlackHole || _random.NextDouble() < loss)
            return;
        var delay = way.Delay + TimeSpan.FromTicks((long)(way.Jitter.Ticks * _random.NextDouble()));
        if (way.BytesPerSecond is { } rate)
        {
            var start = way.BusyUntil > Now ? way.BusyUntil : Now;
            if (start - Now > way.QueueMax)
                return; // tail drop
            way.BusyUntil = start + TimeSpan.FromSeconds(way.Air(packet.Length) / rate);
            delay += way.BusyUntil - Now;
        }
        _agenda.Enqueue(() => to.Receive(way, packet), (Now + delay, _order++));
    }

    internal sealed class End(Pair pair, int number)
    {
        public SessionCore Session { get; } = new();

        /// <summary>Numbers of messages as they came, by lane.</summary>
        public List<(byte Lane, int Number, Instant At)> Got { get; } = [];

        public List<long> Delivered { get; } = [];

        public List<PathSwitch> Switches { get; } = [];

        public int Number => number;

        /// <summary>Does not deal with what comes.</summary>
        public bool IsBusy { get; set; }

        public string Describe() => string.Join(", ", Session.Paths.Select(path =>
            $"{number} {path.LinkName}{(path == Session.Current ? "*" : "")} next {In(path.NextWakeup)} ping {In(path.NextPingAt)} timeout {In(path.Load.TimeoutAt(path.Patience))} ready {In(path.Load.ReadyAt(pair.Now))} "
            + $"up {path.IsUp} usable {path.IsUsable} doubted {path.IsDoubted} stalled {path.IsStalled(pair.Now)} pong {path.PongDue}")) + $" session {In(Session.NextWakeup(pair.Now))}";

        private string In(Instant at) => at == Instant.Never ? "never" : $"{(at.Microseconds - pair.Now.Microseconds) / 1000.0} ms";

        public bool Send(byte lane, int number, int size = 32)
        {
            var body = new byte[size];
            BinaryPrimitives.WriteInt32BigEndian(body, number);
            return Session.TrySend(lane, body, number);
        }

        public void Receive(Way way, byte[] packet)
        {
            var path = Session.Learn(way.KeyTo(number == 1 ? 2 : 1), way.Name, way.Kind, pair.Now);
            Session.Handle(path!, packet, pair.Now);
        }

        public void Drain()
        {
            while (!IsBusy && Session.Inbox.TryDequeue(out var message))
            {
                Got.Add((message.Lane, BinaryPrimitives.ReadInt32BigEndian(message.Body.Span), pair.Now));
                Session.Settle(message.Lane, pair.Now);
            }
            while (Session.Delivered.TryDequeue(out var token))
                Delivered.Add(token);
            while (Session.Switches.TryDequeue(out var change))
                Switches.Add(change);
            for (var i = 0; Session.Poll(pair._packet, pair.Now) is var (path, length); i++)
            {
                Assert.True(i < 10_000, "it sends without end");
                pair.Transmit(this, pair.Ways.Single(way => way.Link == path.Key.Link), pair._packet[..length]);
            }
        }
    }
}

/// <summary>A way between the two ends; may be changed at any time.</summary>
internal sealed class Way(string name, int link, LinkKind kind, double delayMilliseconds)
{
    public string Name => name;

    public int Link => link;

    public LinkKind Kind => kind;

    public TimeSpan Delay { get; } = TimeSpan.FromMilliseconds(delayMilliseconds);

    public TimeSpan Jitter { get; set; }

    public double LossRight { get; set; }

    public double LossLeft { get; set; }

    public bool IsUp { get; set; } = true;

    /// <summary>Takes packets and carries none, and nobody is told.</summary>
    public bool IsBlackHole { get; set; }

    public double? BytesPerSecond { get; set; }

    public TimeSpan QueueMax { get; set; } = TimeSpan.FromMilliseconds(400);

    public Instant BusyUntil { get; set; }

    public long Packets { get; set; }

    public long Bytes { get; set; }

    public PathKey KeyTo(int end) => new(link, new IPEndPoint(IPAddress.Parse($"10.{link}.0.{end}"), 61616));

    public int Air(int packetBytes) => kind == LinkKind.SixLowpan ? RadioFrames.AirBytes(packetBytes + PacketSeal.Overhead) : packetBytes + 42;

    public static Way Wan() => new("wan0", 1, LinkKind.Ethernet, 5);

    public static Way Radio() => new("lowpan0", 2, LinkKind.SixLowpan, 4) { BytesPerSecond = 250_000 / 8.0 };
}
