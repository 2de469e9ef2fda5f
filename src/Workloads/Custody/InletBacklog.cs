namespace EdgeFirmware.Workloads.Custody;

/// <summary>What waits in one inlet.</summary>
/// <param name="Dropped">Messages at QoS 0 that found it full, since the start.</param>
public readonly record struct InletBacklog(int Messages, long Bytes, long Dropped);
