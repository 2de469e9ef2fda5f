namespace EdgeFirmware.Overlay.Peers;

/// <summary>What goes first where there is not room for all. Each is a lane of its own.</summary>
public enum OverlayPriority : byte
{
    Urgent,
    Usual,
    Bulk,
}
