using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Simulation;

/// <summary>What must hold at every instant, and what must hold once a site is whole and quiet.</summary>
public sealed class SiteInvariants(SimulatedSite site)
{
    /// <summary>What a node may send: up to four workloads in a site of five, whose records are news every second.</summary>
    private const double BytesASecondMax = 1500;

    private const long BytesAtOnceMax = 64 << 10;

    private readonly Instant _began = site.Events.Now;
    private readonly Dictionary<(NodeId, int, WorkloadId), WorkloadRecord> _seen = [];
    private readonly Dictionary<(NodeId, int), long> _versions = [];

    /// <returns>What is violated now; empty when nothing is.</returns>
    public string Violated()
    {
        var running = new Dictionary<(WorkloadId, long), NodeId>();
        foreach (var node in site.Nodes)
        {
            foreach (var (id, container) in node.Engine.Containers)
                if (container.IsRunning && !running.TryAdd((id, container.Epoch), node.Id))
                    return $"{id} runs at epoch {container.Epoch} on {node.Id.Name} and {running[(id, container.Epoch)].Name}";
            if (node.Core is { } core && (RunsOutdated(node) is { Length: > 0 } fault || (fault = HoldsNothing(node)).Length > 0
                || (fault = GoesBack(node, core.RecordsVersion)).Length > 0))
                return fault;
        }
        return "";
    }

    /// <returns>Which node has sent more than its budget; empty when none has.</returns>
    public string Overspent()
    {
        var seconds = (site.Events.Now - _began).TotalSeconds;
        foreach (var node in site.Nodes)
            if (node.BytesSent > BytesAtOnceMax + (BytesASecondMax * seconds))
                return $"{node.Id.Name} has sent {node.BytesSent} bytes in {seconds:0} s";
        return "";
    }

    /// <returns>Whether a workload whose deployment was acknowledged is on no disk any more; empty when it is on one.</returns>
    public string Lost(WorkloadId id)
    {
        foreach (var node in site.Nodes)
            if (node.Disk.TryGetValue(id, out var record) && record.State != WorkloadState.Removed)
                return "";
        return $"{id} is lost: no disk knows it";
    }

    /// <returns>Why the site has not settled; empty when it has.</returns>
    public string Unsettled(WorkloadId id, bool mustLive, bool mustBeGone)
    {
        var records = site.Nodes.Select(node => (node.Id, Record: node.Core!.KnownRecords.FirstOrDefault(record => record.Id == id))).ToList();
        var said = string.Join(", ", records.Select(pair => $"{pair.Id.Name}: {Key(pair.Record)}"));
        if (records.Select(pair => Key(pair.Record)).Distinct().Count() > 1)
            return $"{id}: records differ: {said}";
        var copies = site.Nodes.Where(node => node.Engine.Containers.TryGetValue(id, out var container) && container.IsRunning).ToList();
        if (copies.Count > 1)
            return $"{id} runs on {string.Join(", ", copies.Select(node => node.Id.Name))}";
        var record = records[0].Record;
        var lives = record is { State: not WorkloadState.Removed };
        if (mustLive && !lives)
            return $"{id} is lost: {said}";
        if (mustBeGone && lives)
            return $"{id} came back: {said}";
        if (!lives)
            return copies.Count == 0 ? "" : $"{id} is removed, but runs on {copies[0].Id.Name}";
        if (record!.State == WorkloadState.Held && copies.Count == 0 && site.Nodes.All(node => node.Offer.Level < CollaborationLevel.Everything))
            return "";
        if (copies.Count == 0)
            return $"{id} runs nowhere: {said}";
        var epoch = copies[0].Engine.Containers[id].Epoch;
        return copies[0].Id == record!.Owner && epoch == record.Epoch && record.State == WorkloadState.Running ? ""
            : $"{id} runs on {copies[0].Id.Name} at epoch {epoch}, but {said}";
    }

    private static string Key(WorkloadRecord? record) =>
        record is null ? "nothing" : $"{record.Epoch}.{record.Revision} {record.Owner.Name} {record.State}";

    private static string HoldsNothing(SimulatedNode node)
    {
        foreach (var record in node.Core!.KnownRecords)
            if (!node.HasLostDisk && record.State == WorkloadState.Held && record.Owner == node.Id && node.Disk.ContainsKey(record.Id)
                && record.Spec.Volumes.Count > 0 && !node.Engine.Volumes.ContainsKey(record.Id))
                return $"{node.Id.Name} holds {record.Id} without its volumes";
        return "";
    }

    private static string RunsOutdated(SimulatedNode node)
    {
        foreach (var id in node.Core!.Running)
        {
            if (!node.Engine.Containers.TryGetValue(id, out var container) || !container.IsRunning)
                continue;
            foreach (var record in node.Core.KnownRecords)
                if (record.Id == id && (container.Epoch < record.Epoch || (container.Epoch == record.Epoch && record.Owner != node.Id)))
                    return $"{node.Id.Name} runs {id} at epoch {container.Epoch} and has accepted {Key(record)}";
        }
        return "";
    }

    private string GoesBack(SimulatedNode node, long version)
    {
        if (_versions.GetValueOrDefault((node.Id, node.Boot), -1) == version)
            return "";
        _versions[(node.Id, node.Boot)] = version;
        foreach (var record in node.Core!.KnownRecords)
        {
            var key = (node.Id, node.Boot, record.Id);
            if (_seen.TryGetValue(key, out var before) && !ReferenceEquals(before, record) && before.Supersedes(record))
                return $"{node.Id.Name} went back from {Key(before)} to {Key(record)}";
            _seen[key] = record;
        }
        return "";
    }
}
