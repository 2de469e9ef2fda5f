using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;
using EdgeFirmware.Mesh.Forecast;
using EdgeFirmware.Mesh.Membership;
using EdgeFirmware.Mesh.Negotiation;

namespace EdgeFirmware.Mesh.Shell;

/// <summary>What the mesh knows at one moment; immutable, replaced whole.</summary>
/// <param name="Records">Every workload of the site, tombstones included.</param>
/// <param name="Running">Workloads of which this node runs a copy.</param>
/// <param name="Offer">What asks are judged by.</param>
/// <param name="Datagrams">Gossip received, by outcome.</param>
/// <param name="Reach">Whether this node hears the site.</param>
public sealed record MeshSnapshot(
    IReadOnlyList<MemberView> Members,
    IReadOnlyList<WorkloadRecord> Records,
    IReadOnlySet<WorkloadId> Running,
    Offer? Offer,
    ResourceReading Reading,
    DatagramCounts Datagrams,
    Reach Reach = Reach.Whole)
{
    public HealthReading Health { get; init; }

    /// <summary>What this node has told the others that it offers.</summary>
    public Offer? Advertised { get; init; }

    /// <summary>What is being given away; <c>null</c> when nothing is.</summary>
    public Evacuation? Evacuation { get; init; }

    /// <summary>What this node foresees of itself; <c>null</c> before the first reading.</summary>
    public ForecastView? Forecast { get; init; }

    /// <summary>Control messages dropped because they cannot be true.</summary>
    public long ControlDropped { get; init; }

    public static readonly MeshSnapshot Empty = new([], [], new HashSet<WorkloadId>(), null, default, default);
}

public readonly record struct DatagramCounts(long Genuine, long Malformed, long Forged, long Replayed, long Sent);
