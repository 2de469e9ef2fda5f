using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Contracts.Overlay;

/// <summary>Messages to other nodes by their ID, over whatever link leads there.</summary>
public interface IOverlay
{
    /// <summary>Sends a message and waits until the peer has dealt with it. Messages of one priority come in the order in which they were sent, each once,
    /// whatever the links do meanwhile, as long as neither node begins anew.</summary>
    /// <param name="body">At most <see cref="OverlayMessage.BytesMax"/>.</param>
    /// <exception cref="PeerException">The peer has begun anew, or is no longer of the site: it may have dealt with it or not.</exception>
    Task SendAsync(NodeId to, OverlayService service, OverlayPriority priority, ReadOnlyMemory<byte> body, CancellationToken cancel);

    /// <summary>The peers that were spoken with, and the ways to them.</summary>
    Task<IReadOnlyList<OverlayPeerView>> ListAsync(CancellationToken cancel);

    Task<OverlayFigures> CountAsync(CancellationToken cancel);
}

/// <summary>Who deals with a message at the other end; the first byte of it.</summary>
public enum OverlayService : byte
{
    /// <summary>Nobody: that it came is all there is to know.</summary>
    Echo = 1,
}

/// <summary>What goes first where there is not room for all. Each is a lane of its own.</summary>
public enum OverlayPriority : byte
{
    Urgent,
    Usual,
    Bulk,
}

public static class OverlayMessage
{
    public const int BytesMax = 1 << 20;
}
