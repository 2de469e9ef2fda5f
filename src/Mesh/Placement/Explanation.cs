namespace EdgeFirmware.Mesh.Placement;

/// <summary>Why a workload is where it is.</summary>
/// <param name="Last">The last decision; <c>null</c> when the node that knows it has restarted since.</param>
/// <param name="Now">What its node would find now; <c>null</c> when that node is gone.</param>
public sealed record Explanation(Decision? Last, Decision? Now)
{
    public bool IsSound() => (Last is null || Last.IsSound()) && (Now is null || Now.IsSound());
}
