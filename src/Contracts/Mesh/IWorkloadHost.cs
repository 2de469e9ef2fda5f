namespace EdgeFirmware.Contracts.Mesh;

/// <summary>What the mesh asks of this node once two nodes have agreed. Implemented by the workload layer. Every method is idempotent; it
/// throws <see cref="WorkloadException"/> when the world says no, with words for the operator.</summary>
public interface IWorkloadHost
{
    /// <summary>Sends image and configuration to the peer that granted the lease, until it has a container ready to start. The local copy
    /// runs on.</summary>
    /// <param name="record">As it will be: with the peer as owner at the next epoch.</param>
    /// <returns>Bytes put on the wire.</returns>
    Task<long> TransferAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel);

    /// <summary>Stops feeding the local copy, lets it finish the message in hand, stops it. After this no local copy runs.</summary>
    Task QuiesceAsync(WorkloadId workload, CancellationToken cancel);

    /// <summary>Sends the volumes of the quiesced copy to the prepared peer.</summary>
    /// <returns>Bytes put on the wire.</returns>
    Task<long> TransferVolumesAsync(WorkloadRecord record, NodeId peer, Guid lease, CancellationToken cancel);

    /// <summary>Runs the workload here at the record's epoch: from the prepared or quiesced container where there is one, else a new one.</summary>
    Task StartAsync(WorkloadRecord record, CancellationToken cancel);

    /// <summary>Removes whatever this node holds of the workload: container, prepared container, volumes.</summary>
    Task DiscardAsync(WorkloadId workload, string why, CancellationToken cancel);

    /// <summary>Removes what a lease prepared, and only that.</summary>
    Task DiscardPreparedAsync(WorkloadId workload, Guid lease, CancellationToken cancel);
}

/// <summary>A workload cannot be transferred, started or stopped; the message says what to do.</summary>
public sealed class WorkloadException : Exception
{
    public WorkloadException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}

/// <summary>Where records are kept across restarts.</summary>
public interface IRecordStore
{
    IReadOnlyList<WorkloadRecord> Load();

    /// <summary>Returns once the record survives a power cut. Throws <see cref="StorageException"/>.</summary>
    Task SaveAsync(WorkloadRecord record, CancellationToken cancel);

    /// <summary>Returns once no power cut brings the workload's record back; also when there is none. Throws <see cref="StorageException"/>.</summary>
    Task ForgetAsync(WorkloadId workload, CancellationToken cancel);

    /// <summary>Whether the operator wants this node empty.</summary>
    bool LoadDraining();

    /// <summary>Returns once that survives a power cut. Throws <see cref="StorageException"/>.</summary>
    Task SaveDrainingAsync(bool draining, CancellationToken cancel);
}

/// <summary>The data directory cannot be read or written.</summary>
public sealed class StorageException : Exception
{
    public StorageException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
