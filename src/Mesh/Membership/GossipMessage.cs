using System.Net;
using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>A datagram between members, with the news that rides on it.</summary>
public abstract record GossipMessage(MemberTag Sender)
{
    private static readonly IReadOnlyList<MemberNews> NoNews = [];

    public IReadOnlyList<MemberNews> News { get; init; } = NoNews;

    /// <summary>On the wire, without news.</summary>
    internal virtual int WireBytes => 2 + MemberTag.Bytes;
}

/// <summary>"Are you there?" A node that is not <paramref name="Target"/> does not answer: the address has a new tenant.</summary>
public sealed record Ping(MemberTag Sender, ushort Sequence, MemberTag Target) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 2 + MemberTag.Bytes;
}

/// <param name="View">Hash of the sender's whole view: two that agree have the same.</param>
/// <param name="Records">Hash of what the sender knows of workloads.</param>
public sealed record Ack(MemberTag Sender, ushort Sequence, uint View, uint Records) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 10;
}

/// <summary>From one asked to probe for another: "I am alive, and it does not answer me either" (Lifeguard, section IV.A).</summary>
/// <param name="Refused">The target's machine said that nobody listens there.</param>
public sealed record Nack(MemberTag Sender, ushort Sequence, bool Refused) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 3;
}

/// <summary>"Ask <paramref name="Target"/> for me": SWIM's ping-req.</summary>
public sealed record PingRequest(MemberTag Sender, ushort Sequence, MemberTag Target, IPEndPoint TargetAddress) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 2 + MemberTag.Bytes + MemberIdentity.AddressBytes(TargetAddress);
}

/// <summary>News only; each receiver passes on what is new to it.</summary>
public sealed record Gossip(MemberTag Sender) : GossipMessage(Sender);

/// <summary>"Here I am, who else?" to an address where a member may be. Carries the sender's own record.</summary>
public sealed record Hello(MemberTag Sender) : GossipMessage(Sender);

/// <summary>A part of what the sender believes. Unlike gossip it may be long out of date: a death in it is a claim, not news.</summary>
public sealed record View(MemberTag Sender) : GossipMessage(Sender);

/// <summary>Hashes of the sender's view, a part of the members each.</summary>
public sealed record Digest(MemberTag Sender, IReadOnlyList<uint> Parts) : GossipMessage(Sender)
{
    /// <summary>A member belongs to the part that the lowest bits of its tag name.</summary>
    public const int PartsCount = 16;

    internal override int WireBytes => base.WireBytes + (4 * PartsCount);
}

/// <summary>What the sender has of the members of one part whose tags lie between two others, both included.</summary>
public sealed record Summary(MemberTag Sender, byte Part, MemberTag From, MemberTag To, IReadOnlyList<SummaryEntry> Entries) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 2 + (2 * MemberTag.Bytes) + (Entries.Count * SummaryEntry.WireBytes);
}

/// <param name="Offer">Version of the offer; 0 = none.</param>
public readonly record struct SummaryEntry(MemberTag Member, Contracts.Mesh.MemberStatus Status, uint Incarnation, uint Boot, uint Offer)
{
    public const int WireBytes = MemberTag.Bytes + 13;
}

/// <summary>"Send me all you have of these."</summary>
public sealed record Want(MemberTag Sender, IReadOnlyList<MemberTag> Members) : GossipMessage(Sender)
{
    internal override int WireBytes => base.WireBytes + 1 + (Members.Count * MemberTag.Bytes);
}

/// <param name="To"><c>null</c> = the site's multicast groups.</param>
/// <param name="ByStreamTo">Not as a datagram but over a stream to that node: datagrams may not get through.</param>
public readonly record struct Outgoing(GossipMessage Message, IPEndPoint? To, NodeId? ByStreamTo = null);
