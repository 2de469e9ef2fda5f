namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>
/// The broker's side of one exchange of AUTH packets (MQTT 5 section 4.12): made for one CONNECT or one re-authentication, asked once
/// for each message of the client, and dropped with the connection. Calls never overlap; they come without broker locks.
/// </summary>
public interface IAuthenticationExchange
{
    /// <summary>Judges the client's next message: goes on with a challenge, accepts, or refuses. Bad bytes are a refusal.</summary>
    /// <param name="data">The authentication data; null when the packet carried none.</param>
    ValueTask<AuthenticationStep> ContinueAsync(ReadOnlyMemory<byte>? data, CancellationToken cancellation);
}
