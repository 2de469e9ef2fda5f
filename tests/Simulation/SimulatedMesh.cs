using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Simulation;

/// <summary>Membership cores that gossip over simulated links, in the bytes of the wire. The first two nodes are everybody's seeds.</summary>
public sealed class SimulatedMesh
{
    /// <summary>IPv4 and UDP headers.</summary>
    private const int HeaderBytes = 28;

    private readonly Dictionary<NodeId, Station> _stations = [];
    private readonly Dictionary<IPEndPoint, Station> _inhabitants = [];
    private readonly Random _random;
    private readonly byte[] _buffer = new byte[4096];

    /// <summary>One node: its core, and where it lives.</summary>
    public sealed class Station(NodeId id, IPEndPoint address)
    {
        public NodeId Id { get; } = id;

        public IPEndPoint Address { get; set; } = address;

        /// <summary><c>null</c> while it is down.</summary>
        public MembershipCore? Core { get; set; }

        /// <summary>The machine runs, and says that nobody listens when the firmware does not.</summary>
        public bool MachineIsUp { get; set; } = true;

        /// <summary>What waits while it is stopped; <c>null</c> when it is not.</summary>
        public List<(byte[] Datagram, IPEndPoint From)>? Paused { get; set; }

        public Instant Armed { get; set; } = Instant.Never;

        /// <summary>With seal and headers.</summary>
        public long BytesSent { get; set; }

        public int LongestDatagram { get; set; }
    }

    public SimulatedMesh(int seed, MembershipProfile? profile = null)
    {
        Profile = profile ?? MembershipProfile.Lan;
        _random = new Random(seed);
        Links = new Links(_random);
    }

    public EventQueue Events { get; } = new();

    public Links Links { get; }

    public MembershipProfile Profile { get; }

    public IReadOnlyCollection<Station> Stations => _stations.Values;

    public Station this[int number] => _stations[Samples.Node(number)];

    public long DatagramsSent { get; private set; }

    /// <summary>Every change anybody noticed: who, when, what.</summary>
    public List<(NodeId By, Instant At, MemberView What)> Changes { get; } = [];

    /// <summary>Changes are not kept: an hour of a large mesh has many.</summary>
    public bool ForgetsChanges { get; set; }

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
            station.Id, station.Address, [AddressOf(1), AddressOf(2)], Profile, new LabIdentity(), new Random(_random.Next()), Events.Now);
        station.MachineIsUp = true;
        station.Paused = null;
        station.Armed = Instant.Never;
        Turn(station);
    }

    /// <summary>The firmware is killed; its machine runs on.</summary>
    public void Kill(int number) => this[number].Core = null;

    /// <summary>The machine loses power: nothing answers for it.</summary>
    public void Crash(int number)
    {
        Kill(number);
        this[number].MachineIsUp = false;
    }

    public void Leave(int number)
    {
        var station = this[number];
        station.Core!.Leave(Events.Now);
        Drain(station);
        station.Core = null;
    }

    public void Pause(int number) => this[number].Paused ??= [];

    public void Resume(int number)
    {
        var station = this[number];
        if (station.Paused is not { } waiting)
            return;
        station.Paused = null;
        if (station.Core is null)
            return;
        // As after SIGCONT: the timer may well fire before the socket is read.
        Turn(station);
        foreach (var (datagram, from) in waiting)
            Hear(station, datagram, from);
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
    public bool IsOneView()
    {
        var running = _stations.Values.Where(station => station.Core is not null).Select(station => station.Id).ToHashSet();
        foreach (var by in _stations.Values)
            if (by.Core is { } core && !(core.AliveCount == running.Count - 1 && core.SuspectCount == 0
                && core.Members(Events.Now).All(member => member.Status != MemberStatus.Alive || running.Contains(member.Id))))
                return false;
        return true;
    }

    private void Turn(Station station)
    {
        station.Core!.Advance(Events.Now);
        Drain(station);
    }

    private void Drain(Station station)
    {
        var core = station.Core!;
        while (core.Outbox.TryDequeue(out var outgoing))
            if (outgoing.ByStreamTo is { } peer)
                CarryByStream(station, _stations[peer], outgoing.Message);
            else if (outgoing.To is { } to)
                Carry(station, to, outgoing.Message);
        while (core.Changes.TryDequeue(out var change))
            if (!ForgetsChanges)
                Changes.Add((station.Id, Events.Now, change));
        Arm(station);
    }

    private void Carry(Station from, IPEndPoint to, GossipMessage message)
    {
        var datagram = Bytes(message);
        DatagramsSent++;
        from.BytesSent += datagram.Length + DatagramSeal.Overhead + HeaderBytes;
        from.LongestDatagram = Math.Max(from.LongestDatagram, datagram.Length + DatagramSeal.Overhead);
        if (!_inhabitants.TryGetValue(to, out var receiver))
            return;
        var source = from.Address;
        foreach (var delay in Links.Arrivals(from.Id, receiver.Id))
            Events.After(delay, () => Arrive(from, receiver, datagram, source, to));
    }

    private void Arrive(Station from, Station receiver, byte[] datagram, IPEndPoint source, IPEndPoint to)
    {
        if (receiver.Paused is { } waiting)
            waiting.Add((datagram, source));
        else if (receiver.Core is not null)
            Hear(receiver, datagram, source);
        else if (receiver.MachineIsUp)
            foreach (var delay in Links.Arrivals(receiver.Id, from.Id))
                Events.After(delay, () => Refuse(from, to));
    }

    private void Refuse(Station station, IPEndPoint address)
    {
        if (station.Core is not { } core || station.Paused is not null)
            return;
        core.Refused(address, Events.Now);
        Drain(station);
    }

    /// <summary>A stream sends again what is lost: it needs an open path, and a little longer.</summary>
    private void CarryByStream(Station from, Station to, GossipMessage message)
    {
        var datagram = Bytes(message);
        if (Links.IsOpen(from.Id, to.Id) && Links.IsOpen(to.Id, from.Id))
            Events.After(Links.Latency() * 6, () =>
            {
                if (to is not { Core: { } core, Paused: null } || GossipReader.Read(datagram) is not { } read)
                    return;
                var stream = new IPEndPoint(IPAddress.None, 0);
                core.Handle(read, stream, Events.Now);
                for (var left = core.Outbox.Count; left > 0; left--)
                    if (core.Outbox.Dequeue() is var answer && ReferenceEquals(answer.To, stream))
                        Events.After(Links.Latency(), () =>
                        {
                            if (from is { Core: not null, Paused: null })
                                Hear(from, Bytes(answer.Message), to.Address);
                        });
                    else
                        core.Outbox.Enqueue(answer);
                Drain(to);
            });
    }

    private byte[] Bytes(GossipMessage message) => _buffer.AsSpan(0, GossipWriter.Write(message, _buffer)).ToArray();

    private void Hear(Station station, byte[] datagram, IPEndPoint from)
    {
        if (station.Core is not { } core)
            return;
        core.Handle(GossipReader.Read(datagram) ?? throw new InvalidOperationException("a core wrote what cannot be read"), from, Events.Now);
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
