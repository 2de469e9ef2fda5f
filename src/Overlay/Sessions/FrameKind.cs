namespace EdgeFirmware.Overlay.Sessions;

/// <summary>What a frame is: the high three bits of its first byte.</summary>
internal enum FrameKind : byte
{
    /// <summary>Lane (3 bits), first (1), last (1); number (2 bytes), length (1 or 2), body.</summary>
    Chunk = 1,

    /// <summary>The same without a length: its body fills the packet.</summary>
    ChunkToEnd,

    /// <summary>The same without a number: the one after the chunk before it in the packet.</summary>
    NextChunk,

    /// <summary>The same with neither.</summary>
    NextChunkToEnd,

    /// <summary>Lane (3 bits), some are unsettled (1), some are early (1); the first number not received (2 bytes); how many before it are unsettled
    /// (1 or 2 bytes); early ones behind it as bits (a byte with the count of bytes, and these, the lowest first).</summary>
    Ack,

    /// <summary>Id (2 bytes): to be answered over the same path.</summary>
    Ping,

    /// <summary>Id (2 bytes).</summary>
    Pong,
}
