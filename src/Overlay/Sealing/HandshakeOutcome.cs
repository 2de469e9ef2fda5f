namespace EdgeFirmware.Overlay.Sealing;

/// <summary>What a datagram did to a handshake.</summary>
internal enum HandshakeOutcome
{
    /// <summary>The peer is who it says, and the session may be used.</summary>
    Established,

    /// <summary>It came before: the answer was lost, and is the same again.</summary>
    Repeated,

    /// <summary>Not of this handshake, or changed on the way. Nothing has changed.</summary>
    Discarded,

    /// <summary>Somebody has made this exchange with this node who is not believed or not admitted. Nothing has changed: since anybody on the path can do that, the
    /// peer that was meant may still answer.</summary>
    Refused,
}
