using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Sessions;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>A message from another node.</summary>
/// <param name="Session">With which it came; when it has ended since, the answer goes nowhere.</param>
internal sealed record Incoming(NodeId Peer, SessionCore Session, byte Lane, ReadOnlyMemory<byte> Body);
