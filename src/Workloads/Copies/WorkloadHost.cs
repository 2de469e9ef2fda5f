using System.Collections.Concurrent;
using System.Security.Cryptography;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Messaging;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Workloads.Custody;
using EdgeFirmware.Workloads.Transfer;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Workloads.Copies;

/// <summary>Runs copies of workloads in the node's engine, feeds them through <see cref="CustodyDesk"/>, and sends them to other nodes. It decides
/// nothing: the mesh says what to do.</summary>
public sealed class WorkloadHost(
    NodeId self, IContainerEngine engine, IImageCarrier images, IPeerNetwork network, INodeBroker broker, CustodyDesk custody,
    int brokerPort, TimeProvider time, ILogger log) : IWorkloadHost, IDisposable
{
    /// <summary>A started copy that takes inputs has this long to subscribe before the start counts as done anyway.</summary>
    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ExitPoll = TimeSpan.FromMilliseconds(250);

    /// <summary>For remote inlets to confirm their last answers when a copy leaves.</summary>
    private static readonly TimeSpan ConfirmPatience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<WorkloadId, Copy> _copies = [];
    private readonly Leftovers _leftovers = new(self, engine, log);

    /// <summary>Held from creating a container until it is known as a copy.</summary>
    private readonly SemaphoreSlim _containers = new(1, 1);

    public void Dispose() => _containers.Dispose();

    /// <summary>The copy's container ID, whether it runs or not; <c>null</c> when this node has none.</summary>
    public string? ContainerOf(WorkloadId workload) => _copies.TryGetValue(workload, out var copy) ? copy.Container : null;

    /// <summary>Whether the credentials are those of a copy that this node started.</summary>
    public bool IsCopy(WorkloadId workload, ReadOnlySpan<byte> password) =>
        _copies.TryGetValue(workload, out var copy) && copy.Outlet is not null
        && CryptographicOperations.FixedTimeEquals(password, System.Text.Encoding.ASCII.GetBytes(copy.Secret));

    public async Task<long> TransferAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel)
    {
        try
        {
            var image = await engine.InspectImageAsync(record.Spec.Image, cancel);
            return await TransferSender.SendImageAsync(network, images, peer, lease, record.Epoch, image, cancel);
        }
        catch (Exception error) when (error is PeerException or EngineException)
        {
            throw new WorkloadException(error.Message, error);
        }
    }

    public async Task<long> TransferVolumesAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel)
    {
        try
        {
            // Volumes are read through a container; what was held here has none after a restart.
            if (!_copies.TryGetValue(record.Id, out var copy))
                copy = await CreateAsync(record.Spec, record.Epoch, lease: Guid.Empty, cancel);
            return await TransferSender.SendVolumesAsync(network, engine, peer, lease, record.Spec, record.Epoch, copy.Container, cancel);
        }
        catch (Exception error) when (error is PeerException or EngineException)
        {
            throw new WorkloadException(error.Message, error);
        }
    }

    public async Task QuiesceAsync(WorkloadId workload, CancellationToken cancel)
    {
        if (!_copies.TryGetValue(workload, out var copy) || copy.Outlet is not { } outlet)
            return;
        var patience = TimeSpan.FromSeconds(copy.Spec.StopSeconds) + ConfirmPatience;
        try
        {
            await outlet.PauseAsync().WaitAsync(patience, time, cancel);
        }
        catch (TimeoutException)
        {
            WorkloadLog.NotIdle(log, workload, (int)patience.TotalSeconds);
        }
        await StopAsync(copy, cancel);
    }

    public async Task StartAsync(WorkloadRecord record, CancellationToken cancel)
    {
        try
        {
            var copy = await FitCopyAsync(record, cancel);
            if (copy.Outlet is { } running)
            {
                running.Resume(); // a stop that failed has paused it
                return;
            }
            copy.Lease = Guid.Empty;
            var outlet = new Outlet(copy.Id, record.Epoch, record.Id.Value, record.Spec.Inputs, broker);
            copy.IsChanging = true;
            copy.Run(outlet);
            custody.Open(outlet);
            try
            {
                await engine.StartContainerAsync(copy.Container, cancel);
                await WaitUntilAttachedAsync(copy, outlet, cancel);
                if (outlet.Closed.IsCancellationRequested)
                    throw new WorkloadException("it ended while it started");
            }
            catch
            {
                Fence(copy, "it did not start");
                throw;
            }
            finally
            {
                copy.IsChanging = false;
            }
            WorkloadLog.Started(log, copy.Id, copy.Container, record.Epoch);
        }
        catch (EngineException error)
        {
            throw new WorkloadException(error.Message, error);
        }
    }

    public async Task DiscardAsync(WorkloadId workload, string why, CancellationToken cancel)
    {
        if (_copies.TryRemove(workload, out var copy))
            Fence(copy, why);
        try
        {
            foreach (var container in await engine.ListContainersAsync($"{CopyLabels.Workload}={workload}", cancel))
            {
                await engine.RemoveContainerAsync(container.Id, cancel);
                WorkloadLog.Removed(log, workload, $"container {container.Name}", why);
            }
            foreach (var volume in await engine.ListVolumesAsync($"{CopyLabels.Workload}={workload}", cancel))
                await engine.RemoveVolumeAsync(volume, cancel);
        }
        catch (EngineException error)
        {
            // Fenced all the same: what is left cannot reach the broker, and is removed when the engine is back.
            _leftovers.DiscardFailed(workload);
            throw new WorkloadException(error.Message, error);
        }
    }

    public async Task DiscardPreparedAsync(WorkloadId workload, Guid lease, CancellationToken cancel)
    {
        if (_copies.TryGetValue(workload, out var copy) && copy.Lease == lease && lease != Guid.Empty)
            await DiscardAsync(workload, "its lease has ended", cancel);
    }

    /// <summary>Makes a container ready under a lease.</summary>
    internal async Task PrepareAsync(WorkloadSpec spec, long epoch, Guid lease, CancellationToken cancel)
    {
        if (_copies.TryGetValue(spec.Id, out var old) && old.Lease == Guid.Empty)
            throw new WorkloadException($"{spec.Id} runs here");
        try
        {
            await DiscardAsync(spec.Id, "replaced by a newer transfer", cancel);
            await CreateAsync(spec, epoch, lease, cancel);
        }
        catch (EngineException error)
        {
            await DiscardHalfMadeAsync(spec.Id, cancel);
            throw new WorkloadException(error.Message, error);
        }
    }

    /// <summary>Volumes are made before their container.</summary>
    private async Task DiscardHalfMadeAsync(WorkloadId workload, CancellationToken cancel)
    {
        try
        {
            await DiscardAsync(workload, "it could not be prepared", cancel);
        }
        catch (WorkloadException)
        {
            // The engine is gone, as the fault on its way says already.
        }
    }

    internal string? PreparedContainer(WorkloadId workload, Guid lease) =>
        _copies.TryGetValue(workload, out var copy) && copy.Lease == lease ? copy.Container : null;

    /// <summary>A discard has failed: what it left is there to be sorted.</summary>
    internal bool HasLeftovers => _leftovers.AreDue;

    /// <summary>Brings in line what the engine holds and what this node knows.</summary>
    internal async Task SortLeftoversAsync(Func<WorkloadId, WorkloadRecord?> find, CancellationToken cancel)
    {
        await _containers.WaitAsync(cancel);
        try
        {
            await _leftovers.SortAsync(_copies, find, cancel);
        }
        finally
        {
            _containers.Release();
        }
    }

    /// <summary>The engine says that a container has ended.</summary>
    /// <returns>The workload when it was a running copy that nobody stops.</returns>
    internal WorkloadId? Ended(string container)
    {
        var copy = _copies.Values.FirstOrDefault(one => one.Container == container && !one.IsChanging);
        return copy is not null && Fence(copy, "its container ended") ? copy.Id : null;
    }

    /// <summary>Finds copies that ended while nobody watched; they are fenced. Also shows that the engine answers.</summary>
    internal async Task<IReadOnlyList<(WorkloadId Workload, int? ExitCode)>> FindEndedAsync(CancellationToken cancel)
    {
        var known = _copies.Values.Where(copy => copy.Outlet is not null && !copy.IsChanging).ToList();
        var alive = (await engine.ListContainersAsync(CopyLabels.Workload, cancel))
            .Where(container => container.State is not (ContainerState.Exited or ContainerState.Dead)).Select(container => container.Id).ToHashSet();
        var ended = new List<(WorkloadId, int?)>();
        foreach (var copy in known.Where(copy => !alive.Contains(copy.Container)))
        {
            var left = await engine.InspectContainerAsync(copy.Container, cancel);
            if (Ended(copy.Container) is { } workload)
                ended.Add((workload, left?.ExitCode));
        }
        return ended;
    }

    /// <summary>The engine is gone: whatever still runs there is cut off from the broker.</summary>
    internal IReadOnlyList<WorkloadId> FenceAll(string why)
    {
        var fenced = new List<WorkloadId>();
        foreach (var copy in _copies.Values)
            if (Fence(copy, why))
                fenced.Add(copy.Id);
        return fenced;
    }

    private async Task<Copy> FitCopyAsync(WorkloadRecord record, CancellationToken cancel)
    {
        if (_copies.TryGetValue(record.Id, out var copy) && copy.Epoch == record.Epoch
            && await engine.InspectContainerAsync(copy.Container, cancel) is not null)
            return copy;
        if (copy is not null)
        {
            // Another epoch: the label would lie. Volumes stay.
            Fence(copy, "replaced at a new epoch");
            _copies.TryRemove(record.Id, out _);
            await engine.RemoveContainerAsync(copy.Container, cancel);
        }
        foreach (var left in await engine.ListContainersAsync($"{CopyLabels.Workload}={record.Id}", cancel))
            await engine.RemoveContainerAsync(left.Id, cancel);
        return await CreateAsync(record.Spec, record.Epoch, lease: Guid.Empty, cancel);
    }

    private async Task<Copy> CreateAsync(WorkloadSpec spec, long epoch, Guid lease, CancellationToken cancel)
    {
        if (await engine.InspectImageAsync(spec.Image, cancel) is null)
            await engine.PullImageAsync(spec.Image, progress: null, cancel);
        await _containers.WaitAsync(cancel);
        try
        {
            var secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
            var container = await engine.CreateContainerAsync(await DefineAsync(spec, epoch, secret, cancel), cancel);
            return _copies[spec.Id] = new Copy(spec, epoch, container, secret) { Lease = lease };
        }
        finally
        {
            _containers.Release();
        }
    }

    private async Task<ContainerDefinition> DefineAsync(WorkloadSpec spec, long epoch, string secret, CancellationToken cancel)
    {
        var labels = new Dictionary<string, string> { [CopyLabels.Workload] = spec.Id.Value };
        var volumes = new Dictionary<string, string>();
        foreach (var (volume, path) in spec.Volumes)
        {
            var name = CopyLabels.VolumeName(spec.Id, volume);
            await engine.CreateVolumeAsync(name, labels, cancel);
            volumes.Add(name, path);
        }
        labels[CopyLabels.Epoch] = epoch.ToString();
        labels[CopyLabels.Secret] = secret;
        return new ContainerDefinition(
            spec.Id.Value, spec.Image, spec.Command, CopyEnvironment.Compose(spec, self, brokerPort, secret), labels, volumes,
            [$"{CopyEnvironment.NodeHost}:host-gateway"], spec.MemoryBytesMax, CpuCoresMax: 0, CgroupParent: "");
    }

    /// <summary>A copy that dies at once has not started, whatever the engine says.</summary>
    private async Task WaitUntilAttachedAsync(Copy copy, Outlet outlet, CancellationToken cancel)
    {
        var attached = copy.Spec.Inputs.Count > 0 ? outlet.Attached : Task.Delay(ExitPoll, time, cancel);
        var deadline = time.GetTimestamp();
        while (!attached.IsCompleted && time.GetElapsedTime(deadline) < AttachPatience)
        {
            await Task.WhenAny(attached, Task.Delay(ExitPoll, time, cancel));
            cancel.ThrowIfCancellationRequested();
            if (await engine.InspectContainerAsync(copy.Container, cancel) is not { State: ContainerState.Running })
                throw new WorkloadException($"its container ended at once{await LastWordsAsync(copy, cancel)}");
        }
    }

    private async Task<string> LastWordsAsync(Copy copy, CancellationToken cancel)
    {
        if (await engine.InspectContainerAsync(copy.Container, cancel) is not { } ended)
            return "";
        var words = $" (exit code {ended.ExitCode}";
        await foreach (var line in engine.ReadLogsAsync(copy.Container, tail: 3, follow: false, cancel))
            words += $"; {(line.Text.Length > 200 ? line.Text[..200] : line.Text)}";
        return words + ")";
    }

    private async Task StopAsync(Copy copy, CancellationToken cancel)
    {
        copy.IsChanging = true;
        try
        {
            await engine.StopContainerAsync(copy.Container, TimeSpan.FromSeconds(copy.Spec.StopSeconds), cancel);
            Fence(copy, "it has stopped");
        }
        catch (EngineException error)
        {
            throw new WorkloadException(error.Message, error);
        }
        finally
        {
            copy.IsChanging = false;
        }
    }

    /// <returns>Whether it ran.</returns>
    private bool Fence(Copy copy, string why)
    {
        if (copy.TakeOutlet() is not { } outlet)
            return false;
        custody.Close(outlet);
        broker.Evict(outlet.ClientId, why);
        outlet.Dispose();
        return true;
    }
}
