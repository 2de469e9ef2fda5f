namespace EdgeFirmware.Overlay.Peers;

/// <summary>How this node is met by others, over whatever link.</summary>
public sealed class OverlayOptions
{
    /// <summary>0xF0B0: header compression of 6LoWPAN has a nibble for each of the sixteen ports from here (RFC 6282, section 4.3.3).</summary>
    public const int PortDefault = 61616;

    /// <summary>UDP, the same on every node of a site.</summary>
    public int Port { get; set; } = PortDefault;

    /// <summary>Whether this node passes on what others say to each other, and meets its neighbours for that.</summary>
    public bool Relay { get; set; } = true;
}
