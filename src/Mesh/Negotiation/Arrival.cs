using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

internal enum ArrivalPhase
{
    /// <summary>Promised; nothing has come yet.</summary>
    Granted,

    /// <summary>Image and configuration are coming in.</summary>
    Receiving,

    /// <summary>A container is ready to start.</summary>
    Prepared,

    Starting,

    /// <summary>It runs; the record goes to disk before anybody is told.</summary>
    Saving,
}

/// <summary>A workload this node has promised to take.</summary>
/// <param name="whyNotRun">Why it is held and not run; empty when it is run.</param>
internal sealed class Arrival(Guid lease, NodeId from, WorkloadSpec spec, string whyNotRun)
{
    public Guid Lease { get; } = lease;

    public NodeId From { get; } = from;

    public WorkloadSpec Spec { get; } = spec;

    /// <summary>Who passed the ask on, and passes the answer back; <c>null</c> when the owner asked itself.</summary>
    public NodeId? Via { get; init; }

    public string WhyNotRun { get; } = whyNotRun;

    public bool IsToHold => WhyNotRun.Length > 0;

    public ArrivalPhase Phase { get; set; }

    public Instant Until { get; set; }

    public Guid Step { get; set; }

    /// <summary>What was activated; set from <see cref="ArrivalPhase.Starting"/> on.</summary>
    public WorkloadRecord? Record { get; set; }

    /// <summary>Why this node was chosen, as the sender says.</summary>
    public Decision? Decision { get; set; }
}
