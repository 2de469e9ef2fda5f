using EdgeFirmware.Contracts;
using EdgeFirmware.Workloads.Custody;

namespace EdgeFirmware.Workloads.Copies;

/// <summary>What this node holds of a workload: a prepared, running or quiesced container. Changed only by <see cref="WorkloadHost"/>.</summary>
internal sealed class Copy(WorkloadSpec spec, long epoch, string container, string secret)
{
    private volatile Outlet? _outlet;

    public WorkloadSpec Spec { get; } = spec;

    public WorkloadId Id => Spec.Id;

    /// <summary>The epoch its container is labelled with.</summary>
    public long Epoch { get; } = epoch;

    /// <summary>The engine's container ID.</summary>
    public string Container { get; } = container;

    /// <summary>Its password at the node's broker; new for each container.</summary>
    public string Secret { get; } = secret;

    /// <summary>The lease it was prepared under; empty once it runs.</summary>
    public Guid Lease { get; set; }

    /// <summary>Set while it runs.</summary>
    public Outlet? Outlet => _outlet;

    /// <summary>The node starts or stops it: that its container does not run says nothing.</summary>
    public bool IsChanging { get; set; }

    public void Run(Outlet outlet) => _outlet = outlet;

    /// <returns>The outlet, to whoever is first to take it: a copy ends once, however many notice.</returns>
    public Outlet? TakeOutlet() => Interlocked.Exchange(ref _outlet, null);
}

/// <summary>Labels and names by which a container or volume is known to be ours.</summary>
public static class CopyLabels
{
    public const string Workload = "edge.workload";
    public const string Epoch = "edge.epoch";

    /// <summary>The copy's password at the node's broker: kept with the container, so that it runs on when the firmware restarts. Whoever can
    /// read it there controls the engine, and the container, anyway.</summary>
    public const string Secret = "edge.secret";

    /// <summary>Between workload and volume in the engine's name of a volume: neither name can hold it.</summary>
    private const string Separator = "..";

    public static string VolumeName(WorkloadId workload, string volume) => $"{workload}{Separator}{volume}";

    /// <returns>The workload of a volume with such a name.</returns>
    public static WorkloadId? WorkloadOf(string volumeName) =>
        volumeName.LastIndexOf(Separator, StringComparison.Ordinal) is > 0 and var at && WorkloadId.TryParse(volumeName[..at], out var id) ? id : null;
}
