using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Mesh.Tests.Shell;

/// <summary>A node that is alone and runs nothing.</summary>
internal class QuietParts : IPeerNetwork, IWorkloadHost, IRecordStore
{
    public Task<IPeerConversation> OpenAsync(NodeId peer, ConversationKind kind, CancellationToken cancel) =>
        Task.FromException<IPeerConversation>(new PeerException("nobody is there"));

    public virtual Task<long> TransferAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel) => Task.FromResult(0L);

    public Task QuiesceAsync(WorkloadId workload, CancellationToken cancel) => Task.CompletedTask;

    public Task<long> TransferVolumesAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel) => Task.FromResult(0L);

    public Task StartAsync(WorkloadRecord record, CancellationToken cancel) => Task.CompletedTask;

    public Task DiscardAsync(WorkloadId workload, string why, CancellationToken cancel) => Task.CompletedTask;

    public Task DiscardPreparedAsync(WorkloadId workload, Guid lease, CancellationToken cancel) => Task.CompletedTask;

    public IReadOnlyList<WorkloadRecord> Load() => [];

    public Task SaveAsync(WorkloadRecord record, CancellationToken cancel) => Task.CompletedTask;

    public Task ForgetAsync(WorkloadId workload, CancellationToken cancel) => Task.CompletedTask;

    public bool LoadDraining() => false;

    public Task SaveDrainingAsync(bool draining, CancellationToken cancel) => Task.CompletedTask;
}
