using System.Net;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>What gossip says of one member.</summary>
/// <param name="Boot">Random number of the member's run: tells a restarted node from its past self.</param>
public sealed record MemberUpdate(NodeId Id, IPEndPoint Address, MemberStatus Status, uint Incarnation, uint Boot, Offer? Offer);
