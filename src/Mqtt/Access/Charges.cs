using EdgeFirmware.Mqtt.Topics;

namespace EdgeFirmware.Mqtt.Access;

/// <summary>
/// The accounts of one principal together: all of them are charged, and any of them may be full. Most principals have none. Under the broker's lock.
/// </summary>
internal static class Charges
{
    public static void Charge(this QuotaAccount[] accounts, QuotaUsage use)
    {
        foreach (var account in accounts) account.Charge(use);
    }

    /// <summary>The one that forbids another connection, if any.</summary>
    /// <param name="freed">Accounts of a connection that ends for it.</param>
    public static QuotaAccount? FullForConnection(this QuotaAccount[] accounts, QuotaAccount[] freed)
    {
        foreach (var account in accounts)
        {
            if (!account.HasRoomForConnection && !freed.Includes(account)) return account;
        }

        return null;
    }

    public static QuotaAccount? FullForSubscription(this QuotaAccount[] accounts)
    {
        foreach (var account in accounts)
        {
            if (!account.HasRoomForSubscription) return account;
        }

        return null;
    }

    public static QuotaAccount? FullForQueued(this QuotaAccount[] accounts, long bytes)
    {
        foreach (var account in accounts)
        {
            if (!account.HasRoomInQueue(bytes)) return account;
        }

        return null;
    }

    /// <param name="replaced">The topic's message of now, whose place it takes.</param>
    public static QuotaAccount? FullForRetained(this QuotaAccount[] accounts, long bytes, RetainedMessage? replaced, long replacedBytes)
    {
        foreach (var account in accounts)
        {
            var isOwn = replaced is not null && replaced.Accounts.Includes(account);
            if (!account.HasRoomForRetained(isOwn ? 0 : 1, isOwn ? bytes - replacedBytes : bytes)) return account;
        }

        return null;
    }

    public static int InFlightMax(this QuotaAccount[] accounts, int limit)
    {
        foreach (var account in accounts) limit = Math.Min(limit, account.Quotas.InFlightMax ?? limit);
        return limit;
    }

    public static int PacketBytesMax(this QuotaAccount[] accounts, int limit)
    {
        foreach (var account in accounts) limit = Math.Min(limit, account.Quotas.PacketBytesMax ?? limit);
        return limit;
    }

    /// <summary>A packet was larger than <see cref="PacketBytesMax"/>: counts for whose bound that was. From any thread.</summary>
    public static void MeetPacketBytes(this QuotaAccount[] accounts, int packetBytesMax)
    {
        foreach (var account in accounts)
        {
            if (account.Quotas.PacketBytesMax <= packetBytesMax) account.Meet(QuotaKind.PacketBytes);
        }
    }

    /// <summary>Messages that are taken before <see cref="Spend"/> is asked again: a second's worth.</summary>
    public static int MessagesAtOnce(this QuotaAccount[] accounts)
    {
        var most = int.MaxValue;
        foreach (var account in accounts)
        {
            if (account.Quotas.MessagesPerSecond is { } rate) most = Math.Min(most, (int)Math.Clamp(rate, 1, int.MaxValue));
        }

        return most;
    }

    /// <inheritdoc cref="QuotaAccount.Spend"/>
    public static TimeSpan Spend(this QuotaAccount[] accounts, int messages, TimeSpan now)
    {
        var longest = TimeSpan.Zero;
        foreach (var account in accounts)
        {
            var pause = account.Spend(messages, now);
            if (pause == TimeSpan.Zero) continue;
            if (messages > 0) account.Meet(QuotaKind.MessageRate);
            if (pause > longest) longest = pause;
        }

        return longest;
    }

    private static bool Includes(this QuotaAccount[] accounts, QuotaAccount wanted)
    {
        foreach (var account in accounts)
        {
            if (ReferenceEquals(account, wanted)) return true;
        }

        return false;
    }
}
