namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>How a client speaks TLS. Files are PEM and are read at each connect.</summary>
public sealed class TlsClientOptions
{
    /// <value>Certificates of the authorities that the broker's must come from; null: those that the system trusts.</value>
    public string? AuthorityFile { get; init; }

    /// <value>The client's own certificate, with those between it and the root; null: none.</value>
    public string? CertificateFile { get; init; }

    /// <value>Its private key, not encrypted.</value>
    public string? KeyFile { get; init; }

    /// <value>The name the broker's certificate must be for; null: the host that is connected to.</value>
    public string? ServerName { get; init; }

    /// <value>Take the broker's certificate whatever name it is for. It still has to come from the authority.</value>
    public bool AnyServerName { get; init; }

    public TlsVersion MinimumVersion { get; init; } = TlsVersion.Tls12;
}
