using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Contracts.Resources;

namespace EdgeFirmware.Mesh.Advertisement;

/// <summary>All that an offer is made of.</summary>
public sealed record OfferSources(ResourceReading Reading, MachineDescription Machine)
{
    /// <summary><c>null</c> when none answers.</summary>
    public EngineDescription? Engine { get; init; }

    /// <summary>What open leases hold, not yet visible in the reading.</summary>
    public Reservation Promised { get; init; }

    public bool Overloaded { get; init; }

    /// <summary>The operator wants the node empty.</summary>
    public bool Draining { get; init; }

    public HealthLimit? Health { get; init; }

    public Outlook Outlook { get; init; }

    public Surroundings Surroundings { get; init; } = Surroundings.None;

    /// <summary>The operator's words.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];
}
