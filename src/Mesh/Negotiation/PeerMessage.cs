using System.Text.Json.Serialization;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Mesh.Placement;

namespace EdgeFirmware.Mesh.Negotiation;

/// <summary>What two nodes say to each other when they negotiate. Every message may be lost, doubled or late; both sides answer a repeated
/// one the same way.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(Ask), "ask")]
[JsonDerivedType(typeof(Grant), "grant")]
[JsonDerivedType(typeof(Refuse), "refuse")]
[JsonDerivedType(typeof(CounterOffer), "counter-offer")]
[JsonDerivedType(typeof(Referral), "referral")]
[JsonDerivedType(typeof(Cancel), "cancel")]
[JsonDerivedType(typeof(Activate), "activate")]
[JsonDerivedType(typeof(Activated), "activated")]
[JsonDerivedType(typeof(ActivationFailed), "activation-failed")]
[JsonDerivedType(typeof(Records), "records")]
[JsonDerivedType(typeof(Request), "request")]
[JsonDerivedType(typeof(Reply), "reply")]
public abstract record PeerMessage;

/// <summary>"Can you take this?" <paramref name="Lease"/> names the answer from now on.</summary>
/// <param name="OrHold">The asker must let go of it and nobody runs it: a <see cref="CounterOffer"/> is welcome.</param>
/// <param name="Origin">Who wants to give it away, when that is not the sender: the promise is to it, the answer goes to the sender.</param>
/// <param name="Hops">How often it may be passed on to neighbours of whoever cannot take it.</param>
public sealed record Ask(
    Guid Lease, WorkloadSpec Spec, long Epoch, string ImageArchitecture, string Why, bool OrHold = false, NodeId? Origin = null, int Hops = 0)
    : PeerMessage
{
    public const int HopsMax = 2;
}

/// <summary>"Yes": resources are reserved until the lease ends. <paramref name="Offer"/> is fresher than gossip.</summary>
public sealed record Grant(Guid Lease, Offer Offer) : PeerMessage;

/// <summary>"A neighbour of mine grants it": <paramref name="Node"/> has reserved resources for the origin of the ask under this lease.</summary>
/// <param name="Address">Where the sender reaches it: IP address and port.</param>
public sealed record Referral(Guid Lease, NodeId Node, string Address, Offer Offer) : PeerMessage;

public sealed record Refuse(Guid Lease, string Why) : PeerMessage;

/// <summary>"I cannot run it now, but I can hold it": its image and data are kept on disk under the lease, and with "activate" this node owns it
/// until it, or a node it finds, can run it.</summary>
/// <param name="Why">What keeps it from running here.</param>
public sealed record CounterOffer(Guid Lease, Offer Offer, string Why) : PeerMessage;

/// <summary>The asker does not need the lease any more.</summary>
public sealed record Cancel(Guid Lease) : PeerMessage;

/// <summary>"It is yours at this epoch": sent when the asker's copy has stopped and that is on its disk.</summary>
public sealed record Activate(Guid Lease, WorkloadRecord Record) : PeerMessage
{
    /// <summary>Why the receiver was chosen, for the users of its node to ask.</summary>
    public Decision? Decision { get; init; }
}

/// <summary>"I have it", run or held as the record says: it is on the sender's disk.</summary>
public sealed record Activated(Guid Lease, WorkloadRecord Record) : PeerMessage;

/// <summary>"I do not run it and will not at this epoch."</summary>
public sealed record ActivationFailed(Guid Lease, WorkloadId Workload, long Epoch, string Why) : PeerMessage;

/// <summary>What the sender knows of workloads.</summary>
public sealed record Records(IReadOnlyList<WorkloadRecord> Known, bool WantsReply) : PeerMessage
{
    public const int CountMax = 256;
}

public enum RequestVerb
{
    Move,
    Remove,
    Explain,
}

/// <summary>What a user of the sender wants of a workload that the receiver owns. Repeated until it is answered; done once.</summary>
/// <param name="To">Where to move it, or <c>null</c> for the best node.</param>
public sealed record Request(Guid Operation, RequestVerb Verb, WorkloadId Workload, NodeId? To, string Why) : PeerMessage;

/// <summary>How a <see cref="Request"/> ended.</summary>
/// <param name="Fault">What went wrong and what to do; empty when it went well.</param>
public sealed record Reply(Guid Operation, WorkloadRecord? Record, MoveFigures? Figures, string Fault) : PeerMessage
{
    public Explanation? Explanation { get; init; }
}
