using EdgeFirmware.Contracts;
using System.Net;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>A datagram between members, with the updates that ride on it.</summary>
public abstract record GossipMessage(NodeId Sender)
{
    public IReadOnlyList<MemberUpdate> Updates { get; init; } = [];
}

/// <summary>"Are you there?" A node that is not <paramref name="Target"/> does not answer: the address has a new tenant.</summary>
public sealed record Ping(NodeId Sender, uint Sequence, NodeId Target) : GossipMessage(Sender);

public sealed record Ack(NodeId Sender, uint Sequence) : GossipMessage(Sender);

/// <summary>"Ask <paramref name="Target"/> for me": SWIM's ping-req.</summary>
public sealed record PingRequest(NodeId Sender, uint Sequence, NodeId Target, IPEndPoint TargetAddress) : GossipMessage(Sender);

/// <summary>A part of the sender's whole view.</summary>
/// <param name="WantsReply">The receiver shall send its own view.</param>
public sealed record Sync(NodeId Sender, bool WantsReply) : GossipMessage(Sender);

/// <summary>Updates only.</summary>
public sealed record Gossip(NodeId Sender) : GossipMessage(Sender);

/// <param name="To"><c>null</c> = the site's multicast groups.</param>
public readonly record struct Outgoing(GossipMessage Message, IPEndPoint? To);
