namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>What is not older than ten years or broken.</summary>
public enum TlsVersion
{
    /// <summary>RFC 5246, with forward secrecy and authenticated encryption only.</summary>
    Tls12,

    /// <summary>RFC 8446.</summary>
    Tls13,
}
