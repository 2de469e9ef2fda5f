namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// What a user or a tenant uses of a broker, against its quotas. One account belongs to one broker, which charges it under its lock; the quotas
/// may be replaced at any time.
/// </summary>
public sealed class QuotaAccount(string name, Quotas quotas)
{
    /// <summary>A day: no time span holds what the slowest rates come to.</summary>
    private const double WaitSecondsMax = 86_400;

    private readonly long[] _met = new long[Enum.GetValues<QuotaKind>().Length];
    private volatile Quotas _quotas = quotas;
    private int _connections;
    private int _subscriptions;
    private int _queuedMessages;
    private long _queuedBytes;
    private int _retainedMessages;
    private long _retainedBytes;

    /// <summary>Messages that may be sent at once, negative when too many were. A double holds years of them exactly.</summary>
    private double _tokens = quotas.MessagesPerSecond ?? 0;
    private TimeSpan _tokensAt;

    public string Name => name;

    public Quotas Quotas
    {
        get => _quotas;
        set => _quotas = value;
    }

    public QuotaUsage Usage => new(
        Volatile.Read(ref _connections),
        Volatile.Read(ref _subscriptions),
        Volatile.Read(ref _queuedMessages),
        Interlocked.Read(ref _queuedBytes),
        Volatile.Read(ref _retainedMessages),
        Interlocked.Read(ref _retainedBytes));

    /// <summary>How often a quota was met since this account was made.</summary>
    public long Met(QuotaKind kind) => Interlocked.Read(ref _met[(int)kind]);

    internal bool HasRoomForConnection => !(_connections >= _quotas.ConnectionsMax);

    internal bool HasRoomForSubscription => !(_subscriptions >= _quotas.SubscriptionsMax);

    internal bool HasRoomInQueue(long bytes) => !(_queuedMessages >= _quotas.QueuedMessagesMax) && !(_queuedBytes + bytes > _quotas.QueuedBytesMax);

    /// <param name="messages">1 for a new topic, 0 when the message takes the place of one that this account is charged for.</param>
    /// <param name="bytes">What is added. Without any there is room, also when a quota was lowered below what is used.</param>
    internal bool HasRoomForRetained(int messages, long bytes) =>
        (messages <= 0 || !(_retainedMessages + messages > _quotas.RetainedMessagesMax))
        && (bytes <= 0 || !(_retainedBytes + bytes > _quotas.RetainedBytesMax));

    internal void Charge(QuotaUsage use)
    {
        _connections += use.Connections;
        _subscriptions += use.Subscriptions;
        _queuedMessages += use.QueuedMessages;
        _retainedMessages += use.RetainedMessages;
        Interlocked.Add(ref _queuedBytes, use.QueuedBytes);
        Interlocked.Add(ref _retainedBytes, use.RetainedBytes);
    }

    internal void Meet(QuotaKind kind) => Interlocked.Increment(ref _met[(int)kind]);

    /// <summary>Counts what was sent, and says how long nothing more should be read. A token bucket that holds a second's worth.</summary>
    internal TimeSpan Spend(int messages, TimeSpan now)
    {
        if (_quotas.MessagesPerSecond is not { } rate) return TimeSpan.Zero;
        var sizeMax = Math.Max(1, rate);
        _tokens = Math.Min(sizeMax, _tokens + ((now - _tokensAt).TotalSeconds * rate)) - messages;
        _tokensAt = now;
        return _tokens >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(-_tokens / rate, WaitSecondsMax));
    }
}
