using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;

namespace EdgeFirmware.Simulation;

/// <summary>Membership cores that gossip over simulated links. The first two nodes are everybody's seeds.</summary>
public sealed class SimulatedMesh
{
    private readonly Dictionary<NodeId, Station> _stations = [];
    private readonly Dictionary<IPEndPoint, Station> _inhabitants = [];
    private readonly Random _random;

    /// <summary>One node: its core, and where it lives.</summary>
    public sealed class Station(NodeId id, IPEndPoint address)
    {
        public NodeId Id { get; } = id;

        public IPEndPoint Address { get; set; } = address;

        /// <summary><c>null</c> while it is down.</summary>
        public MembershipCore? Core { get; set; }

        /// <summary>What waits while it is stopped; <c>null</c> when it is not.</summary>
        public List<(GossipMessage Message, IPEndPoint From)>? Paused { get; set; }

        public Instant Armed { get; set; } = Instant.Never;
    }

    public SimulatedMesh(int seed)
    {
        _random = new Random(seed);
        Links = new Links(_random);
    }

    public EventQueue Events { get; } = new();

    public Links Links { get; }

    public MembershipProfile Profile { get; } = MembershipProfile.Lan;

    public IReadOnlyCollection<Station> Stations => _stations.Values;

    public Station this[int number] => _stations[Samples.Node(number)];

    /// <summary>Every change anybody noticed: who, when, what.</summary>
    public List<(NodeId By, Instant At, MemberView What)> Changes { get; } = [];

    public static IPEndPoint AddressOf(int number) => new(new IPAddress([10, 1, (byte)(number >> 8), (byte)number]), 7900);

    public void Add(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var number = _stations.Count + 1;
            _stations[Samples.Node(number)] = new Station(Samples.Node(number), AddressOf(number));
            Start(number);
        }
    }

    public void Start(int number, IPEndPoint? address = null)
    {
        var station = this[number];
        _inhabitants.Remove(station.Address);
        station.Address = address ?? station.Address;
        _inhabitants[station.Address] = station;
        station.Core = new MembershipCore(
            station.Id, station.Address, [AddressOf(1), AddressOf(2)], Profile, new Random(_random.Next()), Events.Now);
        station.Paused = null;
        station.Armed = Instant.Never;
        Turn(station);
    }

    public void Crash(int number) => this[number].Core = null;

    public void Leave(int number)
    {
        var station = this[number];
        station.Core!.Leave(Events.Now);
        Drain(station);
        station.Core = null;
    }

    public void Pause(int number) => this[number].Paused = [];

    public void Resume(int number)
    {
        var station = this[number];
        var waiting = station.Paused!;
        station.Paused = null;
        // As after SIGCONT: the timer may well fire before the socket is read.
        Turn(station);
        foreach (var (message, from) in waiting)
            Hear(station, message, from);
    }

    public void Advertise(int number, Offer offer)
    {
        this[number].Core!.Advertise(offer, Events.Now);
        Turn(this[number]);
    }

    public void Run(double seconds) => Events.Run(TimeSpan.FromSeconds(seconds));

    public bool RunUntil(Func<bool> isOver, double secondsMax) => Events.RunUntil(isOver, TimeSpan.FromSeconds(secondsMax));

    public MemberView? View(int by, int of) => this[by].Core!.Members(Events.Now).FirstOrDefault(member => member.Id == Samples.Node(of));

    /// <summary>Whether every running node sees every other one in the status it is in: alive or not.</summary>
    public bool IsOneView() => _stations.Values.Where(station => station.Core is not null).All(by =>
    {
        var alive = by.Core!.Members(Events.Now).Where(member => member.Status == MemberStatus.Alive).Select(member => member.Id).ToHashSet();
        var suspect = by.Core.Members(Events.Now).Any(member => member.Status == MemberStatus.Suspect);
        return !suspect && alive.SetEquals(_stations.Values.Where(station => station.Core is not null && station != by).Select(station => station.Id));
    });

    private void Turn(Station station)
    {
        station.Core!.Advance(Events.Now);
        Drain(station);
    }

    private void Drain(Station station)
    {
        var core = station.Core!;
        while (core.Outbox.TryDequeue(out var outgoing))
            if (outgoing.To is { } to && _inhabitants.TryGetValue(to, out var receiver))
                Carry(station, receiver, outgoing.Message);
        while (core.Changes.TryDequeue(out var change))
            Changes.Add((station.Id, Events.Now, change));
        Arm(station);
    }

    private void Carry(Station from, Station to, GossipMessage message)
    {
        var source = from.Address;
        foreach (var delay in Links.Arrivals(from.Id, to.Id))
            Events.After(delay, () =>
            {
                if (to.Paused is { } waiting)
                    waiting.Add((message, source));
                else
                    Hear(to, message, source);
            });
    }

    private void Hear(Station station, GossipMessage message, IPEndPoint from)
    {
        if (station.Core is not { } core)
            return;
        core.Handle(message, from, Events.Now);
        Drain(station);
    }

    private void Arm(Station station)
    {
        var next = station.Core!.NextWakeup;
        if (next >= station.Armed && station.Armed > Events.Now)
            return;
        station.Armed = next;
        var core = station.Core;
        Events.At(next, () =>
        {
            if (!ReferenceEquals(station.Core, core) || station.Armed != next || station.Paused is not null)
                return;
            station.Armed = Instant.Never;
            Turn(station);
        });
    }
}
