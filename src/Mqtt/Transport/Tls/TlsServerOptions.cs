namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>How a broker's endpoint speaks TLS. Files are PEM and are looked at again when they change.</summary>
public sealed class TlsServerOptions
{
    /// <value>The broker's certificate, followed by those between it and the root.</value>
    public required string CertificateFile { get; init; }

    /// <value>Its private key, not encrypted.</value>
    public required string KeyFile { get; init; }

    /// <value>Certificates of the authorities that sign clients' certificates; needed to ask for those.</value>
    public string? AuthorityFile { get; init; }

    public ClientCertificates ClientCertificates { get; init; }

    public TlsVersion MinimumVersion { get; init; } = TlsVersion.Tls12;
}
