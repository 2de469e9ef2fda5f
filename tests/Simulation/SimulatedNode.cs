using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Simulation;

/// <summary>A node: the real negotiation core, a disk that outlives crashes, and an engine that does not.</summary>
public sealed class SimulatedNode
{
    /// <summary>Then what comes in is lost, as from a full socket buffer.</summary>
    private const int WaitingMax = 4096;

    private readonly SimulatedSite _site;
    private readonly Dictionary<WorkloadId, WorkloadRecord> _disk = [];
    private readonly Queue<NegotiationAction> _saves = [];
    private readonly Dictionary<WorkloadId, WorkloadRecord> _firstOnDisk = [];
    private Queue<Action>? _paused;
    private Instant _armed = Instant.Never;

    public SimulatedNode(NodeId id, SimulatedSite site)
    {
        Id = id;
        _site = site;
        Engine = new SimulatedEngine(this, site);
    }

    public NodeId Id { get; }

    public SimulatedEngine Engine { get; }

    /// <summary><c>null</c> while it is down.</summary>
    public NegotiationCore? Core { get; private set; }

    public bool IsUp => Core is not null;

    /// <summary>Its loop stands still; its containers run on.</summary>
    public bool IsPaused => _paused is not null;

    public bool HasLostDisk { get; private set; }

    /// <summary>Bytes of messages it has sent.</summary>
    public long BytesSent { get; set; }

    /// <summary>Raised with every start: what began in an earlier life does not end in this one.</summary>
    public int Boot { get; private set; }

    /// <summary>What it measures when nothing runs.</summary>
    public Offer Offer { get; set; } = Samples.Offer;

    /// <summary>Whether copies that run use what they need, or nothing.</summary>
    public bool IsLoaded { get; set; }

    /// <summary>What it measures now.</summary>
    public Offer Measured
    {
        get
        {
            if (!IsLoaded || Core is null)
                return Offer;
            var (cpu, memory) = (Offer.CpuFreeCores, Offer.MemoryFreeBytes);
            foreach (var record in Core.KnownRecords)
                if (Engine.Containers.TryGetValue(record.Id, out var container) && container.IsRunning)
                    (cpu, memory) = (cpu - record.Spec.CpuCoresNeeded, memory - record.Spec.MemoryBytesNeeded);
            return Offer with { CpuFreeCores = Math.Max(0, cpu), MemoryFreeBytes = Math.Max(0, memory) };
        }
    }

    /// <summary>What the others hear of it.</summary>
    public Offer? Advertised => Core?.OwnOffer;

    /// <summary>On its disk.</summary>
    public bool IsDraining { get; private set; }

    public bool IsDiskFull { get; set; }

    public TimeSpan SaveDuration { get; set; } = TimeSpan.FromMilliseconds(5);

    public IReadOnlyDictionary<WorkloadId, WorkloadRecord> Disk => _disk;

    public List<Answer> Answers { get; } = [];

    public List<NodeEvent> Told { get; } = [];

    /// <summary>Messages it has sent, for tests of what is never said.</summary>
    public List<(NodeId To, PeerMessage Message)> Sent { get; } = [];

    /// <summary>What is lost on purpose.</summary>
    public Func<NodeId, PeerMessage, bool> Drops { get; set; } = (_, _) => false;

    public void Start()
    {
        if (_site.Planted == PlantedBug.GoesBack)
            foreach (var (id, record) in _firstOnDisk)
                _disk[id] = record;
        else
            Boot++;
        Core = new NegotiationCore(
            Id, _disk.Values.OrderBy(record => record.Id), hasMesh: true, _site.Timing, new Random(_site.Random.Next()), _site.Events.Now,
            IsDraining);
        Core.OwnOfferIs(Measured);
        _armed = Instant.Never;
        Turn();
    }

    /// <summary>Power is lost. Of what was being written the first may have reached the disk.</summary>
    public void Crash()
    {
        if (_saves.TryPeek(out var half) && !IsDiskFull && _site.Random.Next(2) == 0)
            Put(half);
        _saves.Clear();
        _paused = null;
        Engine.Stop();
        Core = null;
        _site.Forget(this);
    }

    /// <summary>It comes back with a new card.</summary>
    public void LoseDisk()
    {
        HasLostDisk = true;
        _disk.Clear();
        IsDraining = false;
        _firstOnDisk.Clear();
        Engine.LoseVolumes();
    }

    /// <summary>As SIGSTOP: what comes in waits.</summary>
    public void Pause() => _paused ??= [];

    public void Continue()
    {
        if (_paused is not { } waiting)
            return;
        _paused = null;
        while (IsUp && waiting.TryDequeue(out var item))
            item();
    }

    public void Ask(Action<NegotiationCore, Instant> command) => InTurn(() => command(Core!, _site.Events.Now));

    public void Worked(Guid step, long bytes, string fault) => InTurn(() => Core!.Worked(step, bytes, fault, _site.Events.Now));

    public void Hear(PeerMessage message, NodeId from)
    {
        if (_site.Planted != PlantedBug.GoesDeaf)
            InTurn(() => Core!.Handle(message, from, _site.Events.Now));
    }

    public void MembersAre(IReadOnlyList<MemberView> members) => InTurn(() => Core!.MembersAre(members, _site.Events.Now));

    public void RecordsDiffer(NodeId other) => InTurn(() => Core!.RecordsDiffer(other, _site.Events.Now));

    private void InTurn(Action item)
    {
        if (_paused is { } waiting)
        {
            if (waiting.Count < WaitingMax)
                waiting.Enqueue(() => InTurn(item));
            return;
        }
        item();
        Drain();
    }

    public void Drain()
    {
        while (Core!.Outbox.TryDequeue(out var action))
            switch (action)
            {
                case SendTo send:
                    Sent.Add((send.Peer, send.Message));
                    if (!Drops(send.Peer, send.Message))
                        _site.Carry(this, send.Peer, send.Message);
                    break;
                case Introduce introduced:
                    _site.Strangers.Remove((Id, introduced.Peer));
                    _site.Strangers.Remove((introduced.Peer, Id));
                    break;
                case Save or SaveDraining:
                    _saves.Enqueue(action);
                    if (_saves.Count == 1)
                        BeginSave();
                    break;
                case Work work:
                    _site.Trace(() => $"{Id.Name} works: {work.Kind} {work.Record.Id} epoch {work.Record.Epoch} {work.Why}");
                    Engine.Do(work);
                    break;
                case CancelWork cancel:
                    Engine.Cancel(cancel.Step);
                    break;
                case Answer answer:
                    _site.Trace(() => $"{Id.Name} answers: {answer.Fault}");
                    Answers.Add(answer);
                    break;
            }
        while (Core.Events.TryDequeue(out var happened))
        {
            _site.Trace(() => $"{Id.Name} says: {happened.Kind} {happened.Subject}: {happened.Why}");
            Told.Add(happened);
        }
        Arm();
    }

    private void BeginSave()
    {
        var boot = Boot;
        _site.Events.After(SaveDuration, () =>
        {
            if (!IsUp || Boot != boot)
                return;
            var save = _saves.Dequeue();
            if (!IsDiskFull)
                Put(save);
            if (_saves.Count > 0)
                BeginSave();
            var fault = IsDiskFull ? "no space left on device" : "";
            InTurn(() => Core!.Saved(save is Save { Step: var step } ? step : ((SaveDraining)save).Step, fault, _site.Events.Now));
        });
    }

    private void Put(NegotiationAction action)
    {
        if (_site.Planted == PlantedBug.ForgetsSaves)
            return;
        if (action is SaveDraining { Draining: var draining })
            IsDraining = draining;
        else if (action is Save { Record: { } record })
        {
            _disk[record.Id] = record;
            _firstOnDisk.TryAdd(record.Id, record);
        }
        else if (action is Save save)
            _disk.Remove(save.Id);
    }

    private void Turn() => InTurn(() => Core!.Advance(_site.Events.Now));

    private void Arm()
    {
        var next = Core!.NextWakeup;
        if (next >= _armed && _armed > _site.Events.Now)
            return;
        _armed = next;
        var boot = Boot;
        _site.Events.At(next, () =>
        {
            if (!IsUp || Boot != boot || _armed != next)
                return;
            _armed = Instant.Never;
            Turn();
        });
    }
}
