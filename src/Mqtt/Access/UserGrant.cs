namespace EdgeFirmware.Mqtt.Access;

/// <summary>What <see cref="UserAccess"/> finds again of a client it let in: who it is, and what the rules of that moment say.</summary>
/// <param name="StoredKey">Of the credential it proved; null when it proved none.</param>
internal sealed record UserGrant(UserTable Table, string ClientId, TopicRules Rules, ReadOnlyMemory<byte>? StoredKey);
