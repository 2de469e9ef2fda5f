using System.Collections.Concurrent;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Copies;

/// <summary>What the engine holds of workloads that no copy here accounts for: from before a restart of this node, or because a discard found no
/// engine. A container that runs for a record of ours at its epoch becomes a copy as it is; the other containers go. Volumes go only when a
/// record says that the workload is gone or elsewhere, or this node has discarded it: a record that was lost must not take data with it.</summary>
internal sealed class Leftovers(NodeId self, IContainerEngine engine, ILogger log)
{
    /// <summary>Workloads whose discard has failed, and whether that was told.</summary>
    private readonly ConcurrentDictionary<WorkloadId, bool> _undone = [];

    public bool AreDue => !_undone.IsEmpty;

    public void DiscardFailed(WorkloadId workload) => _undone.TryAdd(workload, false);

    /// <summary>No container or volume may be made meanwhile.</summary>
    /// <param name="find">The site's record of a workload.</param>
    public async Task SortAsync(
        ConcurrentDictionary<WorkloadId, Copy> copies, Func<WorkloadId, WorkloadRecord?> find, CancellationToken cancel)
    {
        var due = _undone.ToDictionary();
        _undone.Clear();
        try
        {
            foreach (var container in await engine.ListContainersAsync(CopyLabels.Workload, cancel))
                if (!TakeOn(container, copies, find, out var id))
                    await RemoveAsync(id, $"container {container.Name}", engine.RemoveContainerAsync(container.Id, cancel), due);
            foreach (var volume in await engine.ListVolumesAsync(CopyLabels.Workload, cancel))
                if (CopyLabels.WorkloadOf(volume) is { } owner && !copies.ContainsKey(owner)
                    && (find(owner) is { } record ? !IsOurs(record) : due.ContainsKey(owner)))
                    await RemoveAsync(owner, $"volume {volume}", engine.RemoveVolumeAsync(volume, cancel), due);
        }
        catch
        {
            foreach (var (id, told) in due)
                _undone.TryAdd(id, told);
            throw;
        }
    }

    /// <returns>Whether it is a copy's.</returns>
    private bool TakeOn(
        ContainerDescription container, ConcurrentDictionary<WorkloadId, Copy> copies, Func<WorkloadId, WorkloadRecord?> find, out WorkloadId id)
    {
        var record = WorkloadId.TryParse(container.Labels.GetValueOrDefault(CopyLabels.Workload), out id) ? find(id) : null;
        if (copies.TryGetValue(id, out var copy))
            return copy.Container == container.Id;
        if (record is not { State: WorkloadState.Running } || !IsCopyOf(container, record))
            return false;
        copies[id] = new Copy(record.Spec, record.Epoch, container.Id, container.Labels[CopyLabels.Secret]);
        return true;
    }

    /// <summary>One that cannot be removed is tried again, and does not keep the node from its engine.</summary>
    private async Task RemoveAsync(WorkloadId id, string what, Task removal, Dictionary<WorkloadId, bool> due)
    {
        try
        {
            await removal;
            WorkloadLog.Removed(log, id, what, "nothing here accounts for it");
        }
        catch (EngineException error) when (error.Failure != EngineFailure.Unreachable)
        {
            if (!due.GetValueOrDefault(id))
                WorkloadLog.NotRemoved(log, id, what, error.Message);
            _undone[id] = true;
        }
    }

    private bool IsOurs(WorkloadRecord record) => record.Owner == self && record.State != WorkloadState.Removed;

    private bool IsCopyOf(ContainerDescription container, WorkloadRecord record) =>
        record.Owner == self && container.State == ContainerState.Running
        && container.Labels.GetValueOrDefault(CopyLabels.Epoch) == record.Epoch.ToString()
        && container.Labels.ContainsKey(CopyLabels.Secret);
}
