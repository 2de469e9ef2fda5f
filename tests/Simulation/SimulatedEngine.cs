using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Simulation;

/// <summary>The containers of one node, and the work on them: as the real host, one step after the other for each workload, transfers
/// beside them.</summary>
public sealed class SimulatedEngine(SimulatedNode node, SimulatedSite site)
{
    private readonly Dictionary<(WorkloadId, bool), Queue<Work>> _queues = [];
    private readonly Dictionary<WorkloadId, Container> _containers = [];

    /// <summary>Ends work in progress early, by step; and transfers that come in, by lease.</summary>
    private readonly Dictionary<Guid, Action<string>> _inProgress = [];
    private readonly HashSet<Guid> _unwanted = [];
    private readonly Dictionary<WorkloadId, int> _volumes = [];

    public sealed record Container(long Epoch, Guid Lease, bool IsRunning);

    public IReadOnlyDictionary<WorkloadId, Container> Containers => _containers;

    /// <summary>What the volumes of each workload hold: a number that each empty one gets anew. They outlive crashes.</summary>
    public IReadOnlyDictionary<WorkloadId, int> Volumes => _volumes;

    /// <summary>Why a piece of work fails; empty when it does not.</summary>
    public Func<Work, string> Outcome { get; set; } = _ => "";

    public Func<Work, TimeSpan> Duration { get; set; } = work => TimeSpan.FromMilliseconds(work.Kind switch
    {
        WorkKind.Transfer => 800,
        WorkKind.TransferVolumes => 300,
        WorkKind.Start => 150,
        _ => 40,
    });

    public void Do(Work work)
    {
        var key = (work.Record.Id, work.Kind is WorkKind.Transfer or WorkKind.TransferVolumes);
        if (!_queues.TryGetValue(key, out var queue))
            _queues[key] = queue = [];
        queue.Enqueue(work);
        if (queue.Count == 1)
            Begin(queue);
    }

    /// <summary>Work that has begun and not ended, and transfers that come in.</summary>
    public int WorkInProgress => _inProgress.Count;

    public void Cancel(Guid step)
    {
        if (_inProgress.TryGetValue(step, out var end))
            site.Events.After(TimeSpan.Zero, () => end("cancelled"));
        else
            _unwanted.Add(step);
    }

    /// <summary>The container ends by itself.</summary>
    public bool Kill(WorkloadId id)
    {
        if (!_containers.TryGetValue(id, out var container) || !container.IsRunning)
            return false;
        _containers.Remove(id);
        return true;
    }

    /// <summary>Power is lost: nothing runs any more, nothing is finished.</summary>
    public void Stop()
    {
        _queues.Clear();
        _inProgress.Clear();
        _unwanted.Clear();
        _containers.Clear();
    }

    public void LoseVolumes() => _volumes.Clear();

    private void Begin(Queue<Work> queue)
    {
        var work = queue.Peek();
        var boot = node.Boot;
        var peer = work.Kind is WorkKind.Transfer or WorkKind.TransferVolumes ? site.Find(work.Peer) : null;
        var peerBoot = peer?.Boot ?? 0;
        var opened = peer is null || Open(work, peer);
        var duration = opened ? Duration(work) : site.Links.Latency();
        var isOver = false;
        if (_unwanted.Remove(work.Step))
            site.Events.After(TimeSpan.Zero, () => End("cancelled"));
        else if (work.Step != Guid.Empty)
            _inProgress[work.Step] = End;
        if (opened && peer is not null)
            peer.Engine._inProgress[work.Lease] = _ => CutOff();
        site.Events.After(duration, () => End(""));

        void CutOff()
        {
            if (site.Links.IsOpenBothWays(node.Id, work.Peer))
                End("the peer has closed the connection");
        }

        void End(string early)
        {
            if (isOver)
                return;
            if ((node.IsPaused && node.Boot == boot) || (peer is { IsPaused: true } && peer.Boot == peerBoot))
            {
                site.Events.After(TimeSpan.FromMilliseconds(100), () => End(early)); // a stopped process answers nobody
                return;
            }
            isOver = true;
            var isMine = node.IsUp && node.Boot == boot;
            if (isMine)
                _inProgress.Remove(work.Step);
            if (peer is not null && opened && peer.IsUp && peer.Boot == peerBoot)
            {
                peer.Engine._inProgress.Remove(work.Lease);
                if (!isMine || early.Length > 0)
                    peer.Engine.Received(work, node.Id, complete: false);
            }
            if (!isMine)
                return;
            var fault = early.Length > 0 ? early
                : !opened ? "no such lease, or no connection"
                : peer is not null ? Deliver(work, peer, peerBoot)
                : DoHere(work);
            queue.Dequeue();
            if (queue.Count > 0)
                Begin(queue);
            node.Worked(work.Step, peer is not null && fault.Length == 0 ? 1000 : 0, fault);
        }
    }

    private bool Open(Work work, SimulatedNode peer) =>
        peer is { IsUp: true, IsPaused: false } && site.Links.IsOpenBothWays(node.Id, peer.Id) && peer.Core!.BeginReceiving(work.Lease, node.Id, site.Events.Now) is not null;

    private string Deliver(Work work, SimulatedNode peer, int peerBoot)
    {
        var fault = Outcome(work);
        if (!peer.IsUp || peer.Boot != peerBoot)
            return "connection lost";
        var complete = fault.Length == 0 && site.Links.IsOpenBothWays(node.Id, peer.Id);
        var accepted = peer.Engine.Received(work, node.Id, complete);
        return !complete ? fault.Length > 0 ? fault : "connection lost" : accepted ? "" : "the peer no longer holds the lease";
    }

    private void MakeVolumes(WorkloadId id) => _volumes[id] = ++site.VolumesMade;

    private bool Received(Work work, NodeId sender, bool complete)
    {
        var id = work.Record.Id;
        var has = _containers.TryGetValue(id, out var old);
        var fits = work.Kind == WorkKind.Transfer ? !(has && old!.IsRunning) : has && old!.Lease == work.Lease && !old.IsRunning;
        if (complete && fits && work.Kind == WorkKind.Transfer)
        {
            _containers[id] = new Container(work.Record.Epoch, work.Lease, IsRunning: false);
            MakeVolumes(id);
        }
        else if (complete && fits && site.Planted == PlantedBug.LosesVolumes)
            _volumes.Remove(id);
        else if (complete && fits)
            _volumes[id] = site.Find(sender).Engine._volumes.GetValueOrDefault(id);
        var stands = node.Core!.Received(work.Lease, complete && fits, site.Events.Now);
        if (!stands && fits && _containers.TryGetValue(id, out var left) && left.Lease == work.Lease && !left.IsRunning)
        {
            _containers.Remove(id);
            _volumes.Remove(id);
        }
        node.Drain();
        return stands;
    }

    private string DoHere(Work work)
    {
        var id = work.Record.Id;
        var fault = Outcome(work);
        switch (work.Kind)
        {
            case WorkKind.Start when fault.Length == 0:
                if (!_volumes.ContainsKey(id))
                    MakeVolumes(id);
                var epoch = site.Planted == PlantedBug.ClonesEpochs ? 1 : work.Record.Epoch;
                _containers[id] = new Container(epoch, Guid.Empty, IsRunning: true);
                if (site.Planted == PlantedBug.StartsTwice)
                    site.After(node).Engine._containers[id] = _containers[id];
                return "";
            case WorkKind.Quiesce when fault.Length == 0:
                if (site.Planted != PlantedBug.NeverStops && _containers.TryGetValue(id, out var running))
                    _containers[id] = running with { IsRunning = false };
                return "";
            case WorkKind.Discard:
                if (site.Planted == PlantedBug.NeverStops)
                    return "";
                // Cut off from the broker even when the engine refuses.
                _containers.Remove(id);
                _volumes.Remove(id);
                return fault;
            case WorkKind.DiscardPrepared:
                if (_containers.TryGetValue(id, out var prepared) && prepared.Lease == work.Lease && !prepared.IsRunning)
                {
                    _containers.Remove(id);
                    _volumes.Remove(id);
                }
                return "";
            default:
                return fault;
        }
    }
}
