namespace EdgeFirmware.Mqtt.Access;

/// <summary>What is used of <see cref="Quotas"/>, or a change of it.</summary>
public readonly record struct QuotaUsage(
    int Connections = 0, int Subscriptions = 0, int QueuedMessages = 0, long QueuedBytes = 0, int RetainedMessages = 0, long RetainedBytes = 0)
{
    public static QuotaUsage operator -(QuotaUsage use) => new(
        -use.Connections, -use.Subscriptions, -use.QueuedMessages, -use.QueuedBytes, -use.RetainedMessages, -use.RetainedBytes);
}
