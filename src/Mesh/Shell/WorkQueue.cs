using System.Collections.Concurrent;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Negotiation;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>Does off the loop what takes time: saves one after the other, and for each workload its life cycle steps one after the other.
/// Transfers run beside them, so that a discard never waits for a slow link.</summary>
/// <param name="broken">Told of an exception that is no answer of the world but a bug of ours: the loop must end with it.</param>
internal sealed class WorkQueue(
    IWorkloadHost host, IRecordStore records, ILogger log, Action<Exception> broken, CancellationToken stopping)
{
    /// <summary>Ended tails are swept when there are this many: more workloads than a node runs.</summary>
    private const int TailsMax = 64;

    private readonly Dictionary<(WorkloadId, bool), Task> _tails = [];
    private readonly ConcurrentDictionary<Guid, CancellationTokenSource> _cancellable = [];
    private Task _saves = Task.CompletedTask;

    public void Save(Save save, Action<string> done) => _saves = SaveAfterAsync(
        _saves,
        () => save.Record is { } record ? records.SaveAsync(record, stopping) : records.ForgetAsync(save.Id, stopping),
        done);

    public void Save(SaveDraining save, Action<string> done) =>
        _saves = SaveAfterAsync(_saves, () => records.SaveDrainingAsync(save.Draining, stopping), done);

    public void Do(Work work, Action<long, string> done)
    {
        if (_tails.Count >= TailsMax)
            foreach (var (key, tail) in _tails)
                if (tail.IsCompleted)
                    _tails.Remove(key);
        var isTransfer = work.Kind is WorkKind.Transfer or WorkKind.TransferVolumes;
        var lane = (work.Record.Id, isTransfer);
        var ending = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (work.Step != Guid.Empty)
            _cancellable[work.Step] = ending;
        _tails[lane] = DoAfterAsync(_tails.GetValueOrDefault(lane, Task.CompletedTask), work, done, ending, ending.Token);
    }

    /// <summary>Work in progress, or waiting its turn, ends soon; what has ended has ended.</summary>
    public void Cancel(Guid step)
    {
        if (_cancellable.TryRemove(step, out var ending))
            _ = EndAsync(ending);

        static async Task EndAsync(CancellationTokenSource ending)
        {
            await ending.CancelAsync();
            ending.Dispose();
        }
    }

    private async Task SaveAfterAsync(Task before, Func<Task> save, Action<string> done)
    {
        await before;
        await Task.Yield();
        try
        {
            await save();
            done("");
        }
        catch (StorageException error)
        {
            MeshLog.RecordNotSaved(log, error.Message);
            done(error.Message);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // not saved, and nobody told that it was
        }
        catch (Exception error)
        {
            broken(error);
        }
    }

    private async Task DoAfterAsync(
        Task before, Work work, Action<long, string> done, CancellationTokenSource ending, CancellationToken cancel)
    {
        await before;
        await Task.Yield();
        try
        {
            cancel.ThrowIfCancellationRequested();
            done(await DoAsync(work, cancel), "");
        }
        catch (WorkloadException error)
        {
            done(0, error.Message);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the node stops; its records say where everything was
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            done(0, "cancelled");
        }
        catch (Exception error)
        {
            broken(error);
        }
        finally
        {
            if (work.Step == Guid.Empty || _cancellable.TryRemove(work.Step, out _))
                ending.Dispose();
        }
    }

    private async Task<long> DoAsync(Work work, CancellationToken cancel)
    {
        switch (work.Kind)
        {
            case WorkKind.Transfer:
                return await host.TransferAsync(work.Record, work.Peer, work.Lease, cancel);
            case WorkKind.TransferVolumes:
                return await host.TransferVolumesAsync(work.Record, work.Peer, work.Lease, cancel);
            case WorkKind.Quiesce:
                await host.QuiesceAsync(work.Record.Id, cancel);
                return 0;
            case WorkKind.Start:
                await host.StartAsync(work.Record, cancel);
                return 0;
            case WorkKind.Discard:
                await host.DiscardAsync(work.Record.Id, work.Why, cancel);
                return 0;
            default:
                await host.DiscardPreparedAsync(work.Record.Id, work.Lease, cancel);
                return 0;
        }
    }
}
