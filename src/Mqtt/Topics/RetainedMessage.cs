using EdgeFirmware.Mqtt.Durability;

namespace EdgeFirmware.Mqtt.Topics;

/// <summary>A message kept for future subscribers.</summary>
/// <param name="ExpiresAt">Broker time after which it is gone; null: never.</param>
/// <param name="Stored">The message as the journal knows it; null without one.</param>
/// <param name="Publisher">The client it came from, for subscriptions without local messages; null: no client, or one of before a restart.</param>
internal sealed record RetainedMessage(MqttMessage Message, TimeSpan? ExpiresAt, StoredMessage? Stored, string? Publisher)
{
    public bool IsExpired(TimeSpan now) => ExpiresAt is { } end && end <= now;
}
