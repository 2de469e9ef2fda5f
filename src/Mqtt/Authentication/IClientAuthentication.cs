namespace EdgeFirmware.Mqtt.Authentication;

/// <summary>
/// A client's side of enhanced authentication (MQTT 5 section 4.12). One exchange at a time; <see cref="Start"/> begins a new one,
/// for each connection and each re-authentication.
/// </summary>
public interface IClientAuthentication
{
    /// <value>Named in the CONNECT and in every AUTH.</value>
    string Method { get; }

    /// <summary>The data of the CONNECT, or of the AUTH that begins a re-authentication; null for none.</summary>
    ReadOnlyMemory<byte>? Start();

    /// <summary>The answer to a challenge; null when the broker is not to be trusted, which ends the connection.</summary>
    ReadOnlyMemory<byte>? Respond(ReadOnlyMemory<byte>? challenge);

    /// <summary>Whether the broker has proven itself, with the data of its CONNACK or last AUTH.</summary>
    bool Verify(ReadOnlyMemory<byte>? data);
}
