namespace EdgeFirmware.Contracts.Mesh;

/// <summary>Where a workload's inputs are heard: the node whose broker took them, for latency is counted from there.</summary>
/// <param name="Share">Of the messages of the last minutes, 0-1.</param>
public sealed record InputSource(WorkloadId Workload, NodeId Node, double Share);
