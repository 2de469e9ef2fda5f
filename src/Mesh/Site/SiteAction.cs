using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Mesh.Wire;

namespace EdgeFirmware.Mesh.Site;

/// <summary>What <see cref="SiteCore"/> wants done.</summary>
public abstract record SiteAction;

/// <summary>Compare with the node at this address.</summary>
/// <param name="Peer">Who it should be; <c>null</c>: whoever is of the site.</param>
public sealed record Contact(NodeId? Peer, IPEndPoint Address) : SiteAction;

/// <summary>Keep this; what was kept in its place is to be replaced at once or not at all.</summary>
public sealed record Keep(SiteFile File, byte[] Content) : SiteAction;

/// <summary>See <see cref="DatagramSeal.Use"/>.</summary>
public sealed record UseKeys(IReadOnlyList<GossipKey> Keys, uint SendWith) : SiteAction;

/// <summary>Whom this node trusts has changed: conversations that would be refused now are to end.</summary>
public sealed record JudgeAgain : SiteAction;

/// <summary>What a node keeps of its site.</summary>
public enum SiteFile
{
    Certificate,
    Revocations,
    GossipKeys,
    Members,
    Clock,
    Tokens,
}
