using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Broker;

namespace EdgeFirmware.Mqtt.Sessions;

/// <content>How much may wait and be under way, by the limits and by the quotas of the receiver.</content>
internal sealed partial class Outbound
{
    /// <summary>What a connection may owe its client of QoS 0 while memory is short.</summary>
    private const int TightOutboundBytes = 64 << 10;

    /// <summary>Charged for what waits. Whoever replaces them moves the charges.</summary>
    public QuotaAccount[] Accounts { get; set; } = [];

    /// <summary>Takes no more. A quota forbids only what would have to wait.</summary>
    public bool IsFull(SessionLink? link) => IsBeyondLimits(1) || (Accounts.FullForQueued(1) is not null && WouldQueue(link));

    /// <summary>A message was dropped because it <see cref="IsFull"/>.</summary>
    public void CountDropped()
    {
        counters.MessagesDropped++;
        CountFull(1);
    }

    /// <summary>A message of QoS 1 or 2 would have to wait.</summary>
    public bool WouldQueue(SessionLink? link) =>
        link is null || QueuedMessages > 0 || _resend is { Count: > 0 } || !HasWindow(link) || link.Output.UnsentBytes >= _limits.OutboundBytesMax;

    private int InFlightMax => Accounts.InFlightMax(_limits.InFlightMax);

    private bool HasWindow(SessionLink link) => _onWire < Math.Min(InFlightMax, link.ReceiveMaximum);

    private bool HasRoom(SessionLink link) => link.Output.UnsentBytes < _limits.OutboundBytesMax || !link.Output.NotifyWhenSent();

    private bool MaySend(OutboundMessage message, SessionLink link) =>
        HasRoom(link) && (message.QoS == QoS.AtMostOnce || (HasWindow(link) && InFlight < InFlightMax && FitsInFlight(message)));

    /// <summary>Any one message does.</summary>
    private bool FitsInFlight(OutboundMessage message) => InFlight == 0 || _inFlightBytes + message.Message.QueuedBytes <= _limits.QueuedBytesMax;

    private int QoS0BytesMax =>
        counters.HeldBytes > _limits.HeldBytesTight ? Math.Min(TightOutboundBytes, _limits.OutboundBytesMax) : _limits.OutboundBytesMax;

    private bool IsFullFor(int bytes) => IsBeyondLimits(bytes) || Accounts.FullForQueued(bytes) is not null;

    private bool IsBeyondLimits(int bytes) =>
        QueuedMessages >= _limits.QueuedMessagesMax || _waitingBytes + bytes > _limits.QueuedBytesMax || counters.HeldBytes + bytes > _limits.HeldBytesMax;

    /// <param name="messages">1 when it begins to wait, -1 when it has ended.</param>
    private void CountWaiting(OutboundMessage message, int messages)
    {
        var bytes = messages * message.Message.QueuedBytes;
        _waitingBytes += bytes;
        if (Accounts.Length > 0) Accounts.Charge(new QuotaUsage(QueuedMessages: messages, QueuedBytes: bytes));
    }

    private void CountNothingWaiting()
    {
        Accounts.Charge(new QuotaUsage(QueuedMessages: -QueuedMessages, QueuedBytes: -_waitingBytes));
        _waitingBytes = 0;
    }

    /// <summary>Says which bound it was: a quota's, unless the limits had no room either.</summary>
    private void CountFull(int bytes)
    {
        if (!IsBeyondLimits(bytes) && Accounts.FullForQueued(bytes) is { } full) full.Meet(QuotaKind.Queue);
        else counters.Hit(BrokerLimit.Queue);
    }

    /// <summary>Counts it against the memory of all, until it is settled.</summary>
    private void Keep(OutboundMessage message)
    {
        if (message.IsKept) return;
        message.IsKept = true;
        counters.KeptBytes += message.Message.QueuedBytes;
    }
}
