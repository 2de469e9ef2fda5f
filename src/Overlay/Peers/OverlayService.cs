namespace EdgeFirmware.Overlay.Peers;

/// <summary>Who deals with a message at the other end; the first byte of it.</summary>
public enum OverlayService : byte
{
    /// <summary>Nobody: that it came is all there is to know.</summary>
    Echo = 1,

    /// <summary>The broker: what a bridge there carries to this one.</summary>
    Bridge = 2,
}
