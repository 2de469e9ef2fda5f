namespace EdgeFirmware.Overlay.Peers;

/// <summary>The first byte of a datagram; 1 to 3 are the handshake's (<see cref="Sealing.HandshakeLayout"/>). Where there is an index of a session it follows,
/// in two bytes.</summary>
internal enum PacketType : byte
{
    First = 1,
    Second,
    Third,

    /// <summary>Sealed: frames.</summary>
    Frames,

    /// <summary>Sealed: which run of the node this is (8 bytes), and whether it wants to be told the same (1).</summary>
    Run,

    /// <summary>Index (2) of a session that is not known here. Anybody can say that, so it is only a reason to make another.</summary>
    Stranger,

    /// <summary>To all on the link: a node is here; its ID as text. Anybody can say that, so it is only a reason to ask.</summary>
    Here,

    /// <summary>Sealed, between neighbours: <see cref="Relaying.RelayedHeader"/>, and a datagram of one of the types before <see cref="Here"/>.</summary>
    Relayed,
}
