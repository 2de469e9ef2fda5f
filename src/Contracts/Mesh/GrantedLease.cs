namespace EdgeFirmware.Contracts.Mesh;

/// <summary>What a transfer that comes in may do.</summary>
/// <param name="Spec">The workload that was agreed on.</param>
/// <param name="Ended">Cancelled when the lease ends before the transfer has: nobody wants the rest.</param>
/// <param name="IsToHold">It will not be started here: what came must survive a power cut before the sender hears that it is here.</param>
public sealed record GrantedLease(WorkloadSpec Spec, CancellationToken Ended, bool IsToHold = false);
