namespace EdgeFirmware.Mqtt.Sessions;

/// <content>How much may wait and be under way.</content>
internal sealed partial class Outbound
{
    /// <summary>What a connection may owe its client of QoS 0 while memory is short.</summary>
    private const int TightOutboundBytes = 64 << 10;

    /// <summary>Takes no more.</summary>
    public bool IsFull => IsFullFor(1);

    /// <summary>A message of QoS 1 or 2 would have to wait.</summary>
    public bool WouldQueue(SessionLink? link) =>
        link is null || QueuedMessages > 0 || _resend is { Count: > 0 } || !HasWindow(link) || link.Output.UnsentBytes >= _limits.OutboundBytesMax;

    private bool HasWindow(SessionLink link) => _onWire < Math.Min(_limits.InFlightMax, link.ReceiveMaximum);

    private bool HasRoom(SessionLink link) => link.Output.UnsentBytes < _limits.OutboundBytesMax || !link.Output.NotifyWhenSent();

    private bool MaySend(OutboundMessage message, SessionLink link) =>
        HasRoom(link) && (message.QoS == QoS.AtMostOnce || (HasWindow(link) && InFlight < _limits.InFlightMax && FitsInFlight(message)));

    /// <summary>Any one message does.</summary>
    private bool FitsInFlight(OutboundMessage message) => InFlight == 0 || _inFlightBytes + message.Message.QueuedBytes <= _limits.QueuedBytesMax;

    private int QoS0BytesMax =>
        counters.HeldBytes > _limits.HeldBytesTight ? Math.Min(TightOutboundBytes, _limits.OutboundBytesMax) : _limits.OutboundBytesMax;

    private bool IsFullFor(int bytes) =>
        QueuedMessages >= _limits.QueuedMessagesMax || _waitingBytes + bytes > _limits.QueuedBytesMax || counters.HeldBytes + bytes > _limits.HeldBytesMax;

    /// <summary>Counts it against the memory of all, until it is settled.</summary>
    private void Keep(OutboundMessage message)
    {
        if (message.IsKept) return;
        message.IsKept = true;
        counters.KeptBytes += message.Message.QueuedBytes;
    }
}
