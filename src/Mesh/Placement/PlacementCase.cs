using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Placement;

/// <summary>What is to be placed, as far as it is the same for every candidate.</summary>
/// <param name="ImageArchitecture">What the image is made for, in the engine's words; empty when not known.</param>
public sealed record PlacementCase(WorkloadSpec Spec, string ImageArchitecture)
{
    /// <summary>Memory page of the node it runs on; 0 when it runs nowhere. Images made for pages of 4 KiB do not always run on others.</summary>
    public int PageBytes { get; init; }
}
