using EdgeFirmware.Mqtt.Sessions;

namespace EdgeFirmware.Mqtt.Broker;

/// <summary>What a CONNECT asks of its session, in the terms of version 5.</summary>
/// <param name="Expiry">How long the session outlives the connection, already capped.</param>
internal sealed record SessionTerms(bool CleanStart, TimeSpan Expiry, LastWill? Will);

/// <param name="Present">It existed before and was resumed.</param>
internal readonly record struct ConnectedSession(Session Session, bool Present);
