using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What the shell must do, in the order it was queued.</summary>
public abstract record NegotiationAction;

/// <summary>Best effort; the core repeats what matters.</summary>
public sealed record SendTo(NodeId Peer, PeerMessage Message) : NegotiationAction;

/// <summary>This node is likely to have something to say to that peer: the conversation is to be open by then.</summary>
public sealed record Prepare(NodeId Peer) : NegotiationAction;

/// <summary>A node that was met through another, and where it is: used as long as membership does not know it.</summary>
public sealed record Introduce(NodeId Peer, IPEndPoint Address) : NegotiationAction;

/// <summary>Put what is known of a workload on disk, then call <see cref="NegotiationCore.Saved"/> with <paramref name="Step"/>.</summary>
/// <param name="Record"><c>null</c>: nothing is known, and nothing is to be left there.</param>
public sealed record Save(Guid Step, WorkloadId Id, WorkloadRecord? Record) : NegotiationAction;

/// <summary>Put on disk that this node is being drained, or that it is not any more, then call <see cref="NegotiationCore.Saved"/>.</summary>
public sealed record SaveDraining(Guid Step, bool Draining) : NegotiationAction;

/// <summary>Have the workload host do something, then call <see cref="NegotiationCore.Worked"/> with <paramref name="Step"/>.</summary>
public sealed record Work(Guid Step, WorkKind Kind, WorkloadRecord Record, NodeId Peer = default, Guid Lease = default, string Why = "")
    : NegotiationAction;

/// <summary>Nobody needs that work any more: end it early. It may have ended already; if not, it ends with a fault, as any other.</summary>
/// <param name="Step">Of a <see cref="Work"/>, or the lease of a transfer that comes in.</param>
public sealed record CancelWork(Guid Step) : NegotiationAction;

/// <summary>The end of what a user asked for.</summary>
/// <param name="Fault">What went wrong and what to do; empty when it went well.</param>
public sealed record Answer(Guid Operation, WorkloadRecord? Record, MoveFigures? Figures, string Fault) : NegotiationAction
{
    /// <summary>When that was asked.</summary>
    public Explanation? Explanation { get; init; }
}

public enum WorkKind
{
    Transfer,
    Quiesce,
    TransferVolumes,
    Start,
    Discard,
    DiscardPrepared,
}

/// <summary>What a move took. Times in milliseconds on the mover's clock.</summary>
/// <param name="SelectionMilliseconds">From the decision to move until the peer was chosen.</param>
/// <param name="BytesSent">Image, configuration and volumes, on the wire.</param>
/// <param name="FreezeMilliseconds">No copy running: from quiescing the old copy until the new one was confirmed. 0 when none ran.</param>
public sealed record MoveFigures(
    NodeId From, NodeId To, long Epoch, string Why, double SelectionMilliseconds, long BytesSent, double FreezeMilliseconds,
    double TotalMilliseconds);
