using EdgeFirmware.Mqtt.Access;
using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Topics;

/// <summary>A message kept for future subscribers.</summary>
/// <param name="ExpiresAt">Broker time after which it is gone; null: never.</param>
/// <param name="Stored">The message as the journal knows it; null without one.</param>
/// <param name="Publisher">The client it came from, for subscriptions without local messages; null: no client, or one of before a restart.</param>
internal sealed record RetainedMessage(MqttMessage Message, TimeSpan? ExpiresAt, StoredMessage? Stored, string? Publisher)
{
    /// <summary>
    /// Charged for it until another takes its place or it is gone, also when its publisher has other accounts by then. Nobody for one of before a
    /// restart: the journal does not know.
    /// </summary>
    public QuotaAccount[] Accounts { get; init; } = [];

    public bool IsExpired(TimeSpan now) => ExpiresAt is { } end && end <= now;
}
