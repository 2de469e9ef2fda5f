using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Site;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>What the mesh needs of the node it runs in.</summary>
public sealed record MeshNodeParts(
    IPeerNetwork Network,
    IWorkloadHost Host,
    IRecordStore Records,
    IResourceProbe Probe,
    MachineDescription Machine,
    Action<NodeEvent> Events,
    TimeProvider Time,
    Random Random,
    ILogger Log)
{
    /// <summary>Signs this node's statements and judges others'.</summary>
    public ISiteIdentity Identity { get; init; } = new LabIdentity();

    public MembershipProfile Profile { get; init; } = MembershipProfile.Lan;

    /// <summary>The operator's words for this node: each is valid in an <see cref="Offer"/>.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Where the inputs of workloads are heard, as far as this node knows; read now and then.</summary>
    public Func<IReadOnlyList<InputSource>> Sources { get; init; } = static () => [];

    /// <summary>Whether work is moved to even out the site.</summary>
    public bool Balances { get; init; } = true;
}
