using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Broker;
using EdgeFirmware.Mesh.Shell;
using EdgeFirmware.Workloads.Copies;

namespace EdgeFirmware.Firmware.Running;

/// <summary>Lets the broker tell a running copy from one that has been fenced.</summary>
internal sealed class WorkloadCredentials(WorkloadHost host, MeshNode mesh) : IWorkloadCredentials
{
    public bool IsKnown(WorkloadId workload) =>
        host.ContainerOf(workload) is not null || mesh.Snapshot.Records.Any(record => record.Id == workload);

    public bool IsCopy(WorkloadId workload, ReadOnlySpan<byte> password) => host.IsCopy(workload, password);
}
