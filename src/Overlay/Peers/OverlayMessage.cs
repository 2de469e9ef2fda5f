using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>A message from another node for a service of this one.</summary>
public sealed record OverlayMessage(NodeId From, OverlayService Service, OverlayPriority Priority, ReadOnlyMemory<byte> Body);
