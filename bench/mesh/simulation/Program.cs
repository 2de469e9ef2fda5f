using System.Diagnostics;
using System.Globalization;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Simulation;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var choice = args.Length > 0 ? args[0] : "all";
var seed = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 1;

Run("detection", () =>
{
    foreach (int nodes in (ReadOnlySpan<int>)[8, 32, 128, 256, 1000])
    {
        Detect("killed", nodes, 0, (mesh, number) => mesh.Kill(number));
        Detect("power cut", nodes, 0, (mesh, number) => mesh.Crash(number));
    }
    Detect("killed", 32, 0.2, (mesh, number) => mesh.Kill(number));
    Detect("power cut", 32, 0.2, (mesh, number) => mesh.Crash(number));
});
Run("stopped", () =>
{
    var mesh = Joined(32);
    var random = new Random(seed);
    for (var number = 1; number <= 8; number++)
        Stop(mesh, number, random);
    mesh.Changes.Clear();
    mesh.Run(600);
    Print($"stopped: 32 nodes, 8 of them stopped 0.2-2 s at random for 10 min: {Deaths(mesh)} deaths believed, {Suspicions(mesh)} suspicions");
});
Run("loss", () =>
{
    var mesh = Joined(50);
    mesh.Links.Loss = 0.05;
    mesh.ForgetsChanges = false;
    var (deaths, suspicions) = (0, 0);
    for (var hour = 0; hour < 10; hour++)
    {
        mesh.Changes.Clear();
        mesh.Run(3600);
        deaths += Deaths(mesh);
        suspicions += Suspicions(mesh);
    }
    Print($"loss: 50 nodes, 5 % loss, 10 h: {deaths} deaths believed, {suspicions} suspicions, {mesh.DatagramsSent} datagrams");
});
Run("loss20", () =>
{
    var mesh = Joined(32);
    mesh.Links.Loss = 0.2;
    mesh.Changes.Clear();
    mesh.Run(600);
    Print($"loss20: 32 nodes, 20 % loss, 10 min: {Deaths(mesh)} deaths believed, {Suspicions(mesh)} suspicions");
});
Run("join", () =>
{
    foreach (int nodes in (ReadOnlySpan<int>)[32, 256, 1000])
    {
        var mesh = new SimulatedMesh(seed);
        var began = mesh.Events.Now;
        mesh.Add(nodes);
        var done = mesh.RunUntil(Sparse(mesh, mesh.IsOneView), 120);
        Print($"join: {nodes} nodes started together: {(done ? $"{(mesh.Events.Now - began).TotalSeconds:0.00} s" : "not within 120 s")}, longest datagram {mesh.Stations.Max(one => one.LongestDatagram)} bytes");
    }
});
Run("heal", () =>
{
    var times = new List<double>();
    for (var run = 0; run < 20; run++)
    {
        var mesh = Joined(32, run);
        mesh.Links.Partition(Enumerable.Range(17, 16).Select(Samples.Node));
        mesh.Run(60);
        mesh.Links.Heal();
        var healed = mesh.Events.Now;
        times.Add(mesh.RunUntil(Sparse(mesh, mesh.IsOneView), 60) ? (mesh.Events.Now - healed).TotalSeconds : double.NaN);
    }
    times.Sort();
    Print($"heal: split 16/16 for 60 s, then whole: median {times[times.Count / 2]:0.00} s, worst {times[^1]:0.00} s of 20");
});
Run("traffic", () =>
{
    foreach (var (name, profile) in new[] { ("Lan", MembershipProfile.Lan), ("LowPower", MembershipProfile.LowPower) })
        foreach (int nodes in (ReadOnlySpan<int>)[4, 32, 256])
        {
            var mesh = Joined(nodes, seed, profile);
            for (var number = 1; number <= nodes; number++)
                mesh.Advertise(number, Samples.Offer);
            mesh.Run(60);
            var before = mesh.Stations.Sum(one => one.BytesSent);
            mesh.Run(600);
            Print($"traffic: {nodes} nodes idle, {name}: {(mesh.Stations.Sum(one => one.BytesSent) - before) / 600.0 / nodes:0} B/s a node");
        }
});
Run("spread", () =>
{
    var mesh = Joined(1000);
    var began = mesh.Events.Now;
    mesh.Leave(500);
    var done = mesh.RunUntil(Sparse(mesh, () => mesh.Stations.All(one => one.Core is null || one.Core.AliveCount == 998)), 60);
    Print($"spread: a change to 1000 nodes: {(done ? $"{(mesh.Events.Now - began) / mesh.Profile.GossipInterval:0.0} gossip rounds" : "not within 60 s")}");
});
Run("hour", () =>
{
    var mesh = Joined(1000);
    var clock = Stopwatch.StartNew();
    mesh.ForgetsChanges = true;
    var before = mesh.Stations.Sum(one => one.BytesSent);
    mesh.Run(3600);
    Print($"hour: 1000 nodes, 1 h simulated in {clock.Elapsed.TotalSeconds:0.0} s; {mesh.Events.Done} events, {mesh.DatagramsSent} datagrams, {(mesh.Stations.Sum(one => one.BytesSent) - before) / 3600.0 / 1000:0} B/s a node");
});

Run("negotiation", () =>
{
    const int count = 10_000;
    var (events, violations, settling) = (0L, 0, TimeSpan.Zero);
    for (var number = 0; number < count; number++)
    {
        var schedule = new FaultSchedule((seed * 1_000_000) + number);
        if (schedule.Run() is { Length: > 0 } fault)
        {
            violations++;
            Print($"negotiation: EDGE_CAMPAIGN_SEED={(seed * 1_000_000) + number}: {fault.Split('\n')[0]}");
        }
        events += schedule.EventsDone;
        settling = schedule.Settling > settling ? schedule.Settling : settling;
    }
    Print($"negotiation: {count} random schedules of faults, {events} events: {violations} violations, settled at the latest {settling.TotalSeconds:0} s after the last fault");
});

void Run(string name, Action what)
{
    if (choice == "all" || choice == name)
        what();
}

void Detect(string how, int nodes, double loss, Action<SimulatedMesh, int> end)
{
    var times = new List<double>();
    var mesh = Joined(nodes);
    mesh.Links.Loss = loss;
    mesh.Run(5);
    mesh.Changes.Clear();
    for (var run = 0; run < 20; run++)
    {
        var number = 1 + (run * 7 % nodes);
        var began = mesh.Events.Now;
        end(mesh, number);
        times.Add(mesh.RunUntil(Sparse(mesh, () => mesh.Stations.All(one => one.Core is null || one.Core.AliveCount + one.Core.SuspectCount == nodes - 2)), 120)
            ? (mesh.Events.Now - began).TotalSeconds : double.NaN);
        mesh.Start(number);
        mesh.RunUntil(Sparse(mesh, mesh.IsOneView), 60);
        mesh.Run(3);
    }
    var falseDeaths = mesh.Changes.Count(change => change.What.Status == MemberStatus.Dead) - (20 * (nodes - 1));
    times.Sort();
    Print($"detection: {nodes} nodes, {how}, {loss * 100:0} % loss: median {times[10]:0.00} s, worst {times[^1]:0.00} s; {Math.Max(0, falseDeaths)} false deaths");
}

void Stop(SimulatedMesh mesh, int number, Random random) => mesh.Events.After(TimeSpan.FromSeconds(0.2 + (2 * random.NextDouble())), () =>
{
    mesh.Pause(number);
    mesh.Events.After(TimeSpan.FromSeconds(0.2 + (1.8 * random.NextDouble())), () =>
    {
        mesh.Resume(number);
        Stop(mesh, number, random);
    });
});

SimulatedMesh Joined(int nodes, int? with = null, MembershipProfile? profile = null)
{
    var mesh = new SimulatedMesh(with ?? seed, profile);
    mesh.Add(nodes);
    if (!mesh.RunUntil(Sparse(mesh, mesh.IsOneView), 900))
        throw new InvalidOperationException($"{nodes} nodes have not joined");
    mesh.Run(5);
    return mesh;
}

// Looked at every ten milliseconds of virtual time, not after every event.
static Func<bool> Sparse(SimulatedMesh mesh, Func<bool> isOver)
{
    var next = mesh.Events.Now;
    return () =>
    {
        if (mesh.Events.Now < next)
            return false;
        next = mesh.Events.Now + TimeSpan.FromMilliseconds(10);
        return isOver();
    };
}

static int Deaths(SimulatedMesh mesh) => mesh.Changes.Count(change => change.What.Status == MemberStatus.Dead);

static int Suspicions(SimulatedMesh mesh) => mesh.Changes.Count(change => change.What.Status == MemberStatus.Suspect);

static void Print(string line) => Console.WriteLine(line);
