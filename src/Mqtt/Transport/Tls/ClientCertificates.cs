namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>Whether clients prove themselves by a certificate. One that is shown and not valid ends the handshake in any case.</summary>
public enum ClientCertificates
{
    /// <summary>None is asked for.</summary>
    No,

    /// <summary>Whoever has none may still bring a password.</summary>
    Optional,

    /// <summary>Without one there is no connection.</summary>
    Required,
}
