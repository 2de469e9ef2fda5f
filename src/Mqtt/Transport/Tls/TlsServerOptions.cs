namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>How a broker's endpoint speaks TLS. Files are PEM and are looked at again when they change.</summary>
public sealed record TlsServerOptions
{
    /// <value>In place of files; null: the files count.</value>
    public ITlsIdentity? Identity { get; init; }

    /// <value>The broker's certificate, followed by those between it and the root.</value>
    public string CertificateFile { get; init; } = "";

    /// <value>Its private key, not encrypted.</value>
    public string KeyFile { get; init; } = "";

    /// <value>Certificates of the authorities that sign clients' certificates; needed to ask for those.</value>
    public string? AuthorityFile { get; init; }

    public ClientCertificates ClientCertificates { get; init; }

    public TlsVersion MinimumVersion { get; init; } = TlsVersion.Tls12;
}
