using EdgeFirmware.Contracts;

namespace EdgeFirmware.Overlay.Peers;

/// <summary>Messages to one service of another node of which none comes without those before it: when one is lost because either node has begun anew, the
/// conversation is over, and all that is posted after it is lost too.</summary>
public sealed class OverlayConversation
{
    private readonly OverlayNode _node;
    private bool _isCutOff;

    internal OverlayConversation(OverlayNode node, NodeId peer, OverlayService service)
    {
        _node = node;
        Peer = peer;
        Service = service;
    }

    public NodeId Peer { get; }

    public OverlayService Service { get; }

    /// <summary>Something is to be said, and no way leads there.</summary>
    public bool IsCutOff { get => Volatile.Read(ref _isCutOff); internal set => Volatile.Write(ref _isCutOff, value); }

    /// <summary>Of the node's loop.</summary>
    internal bool IsOver { get; set; }

    /// <summary>Posts a message; never blocks. Those of a priority come in the order in which they were posted.</summary>
    /// <param name="body">At most <see cref="OverlayNode.MessageBytesMax"/>.</param>
    /// <param name="ended">Called once, by the node's loop: whether the peer has dealt with it. Must be quick.</param>
    public void Post(OverlayPriority priority, ReadOnlyMemory<byte> body, Action<bool> ended) => _node.Post(this, priority, body, ended);
}
