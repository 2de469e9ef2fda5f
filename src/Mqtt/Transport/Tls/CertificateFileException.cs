namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>A file does not hold the certificate or key it should; the message names it.</summary>
public sealed class CertificateFileException(string path, string why, Exception? cause = null) : Exception($"{path}: {why}", cause)
{
    public string Path { get; } = path;
}
