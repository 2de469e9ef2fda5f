using EdgeFirmware.Contracts;
using EdgeFirmware.Overlay.Paths;

namespace EdgeFirmware.Overlay.Sessions;

/// <summary>A message or a piece of one, as it is numbered, sent and acknowledged in its lane.</summary>
internal sealed class Chunk(SendLane lane, uint number, OutgoingMessage message, int offset, int size)
{
    public SendLane Lane { get; } = lane;

    /// <summary>In its lane.</summary>
    public uint Number { get; } = number;

    public int Size { get; } = size;

    /// <summary>Of a path's window.</summary>
    public int Cost => Size + FrameWriter.ChunkOverheadMax;

    public bool IsFirst => offset == 0;

    public bool IsLast => offset + Size == message.Body.Length;

    public ReadOnlyMemory<byte> Body => message.Body.Slice(offset, Size);

    public OutgoingMessage Message => message;

    /// <summary>The last time it was sent: when, over which path, and in which packet of it.</summary>
    public Instant SentAt { get; set; }

    public PeerPath? Path { get; set; }

    public long Order { get; set; }

    public int Sends { get; set; }

    /// <summary>Has to be sent again.</summary>
    public bool IsLost { get; set; }

    public bool IsReceived { get; set; }
}
