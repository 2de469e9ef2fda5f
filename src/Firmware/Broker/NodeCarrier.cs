using EdgeFirmware.Contracts;
using EdgeFirmware.Mqtt.Bridge;
using EdgeFirmware.Overlay.Peers;

namespace EdgeFirmware.Firmware.Broker;

/// <summary>Carries a bridge's messages to another node of the site over the overlay.</summary>
/// <param name="node">Its name or ID.</param>
/// <param name="find">The node of that name; <c>null</c>: none is known yet.</param>
internal sealed class NodeCarrier(string node, OverlayNode overlay, Func<string, NodeId?> find, TimeProvider time) : IBridgeCarrier
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private NodeId? _peer;
    private volatile OverlayConversation? _conversation;

    public string Address => $"node {node}";

    public string? RemoteName => _peer?.Value;

    public string? Trouble =>
        _conversation is not { } conversation ? "no other node of that name is known"
        : conversation.IsCutOff ? "no way leads there"
        : null;

    public async Task<IBridgeConversation> OpenAsync(CancellationToken cancel)
    {
        while (_peer is null && (_peer = find(node)) is null)
            await Task.Delay(LookInterval, time, cancel);
        var conversation = overlay.Open(_peer!.Value, OverlayService.Bridge);
        _conversation = conversation;
        return new Conversation(conversation);
    }

    private sealed class Conversation(OverlayConversation conversation) : IBridgeConversation
    {
        private static readonly OverlayPriority[] Lanes = [OverlayPriority.Urgent, OverlayPriority.Usual, OverlayPriority.Bulk];

        public void Post(byte lane, ReadOnlyMemory<byte> body, Action<bool> ended) => conversation.Post(Lanes[lane], body, ended);
    }
}
