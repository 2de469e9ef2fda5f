using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>A message on its way, and whom its end is told.</summary>
/// <param name="ended">Whether the peer has dealt with it; called once, by the node's loop.</param>
/// <param name="conversation"><c>null</c>: it stands for itself.</param>
internal sealed class Sending(NodeId to, OverlayPriority priority, byte[] message, Action<bool> ended, OverlayConversation? conversation)
{
    private bool _isEnded;

    public NodeId To => to;

    public OverlayPriority Priority => priority;

    public byte[] Message => message;

    /// <summary>0 before it was taken.</summary>
    public long Token { get; set; }

    /// <summary>It is not to be sent any more.</summary>
    public bool IsGone => _isEnded || conversation is { IsOver: true };

    public void End(bool isDealtWith)
    {
        if (!isDealtWith && conversation is not null)
            conversation.IsOver = true;
        if (_isEnded)
            return;
        _isEnded = true;
        ended(isDealtWith);
    }
}
