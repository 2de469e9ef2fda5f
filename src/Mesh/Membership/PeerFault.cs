using EdgeFirmware.Contracts;

namespace EdgeFirmware.Mesh.Membership;

/// <summary>Something a member said that cannot be. It is dropped; the operator is told.</summary>
public sealed record PeerFault(NodeId Member, string Why);
