using System.Net.Security;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>A broker's certificate that is kept elsewhere than in files, and a judge of clients' that needs no list of authorities. Thread safe.</summary>
public interface ITlsIdentity
{
    /// <summary>With its key. Another object after a renewal.</summary>
    SslStreamCertificateContext Own { get; }

    /// <param name="certificate">DER, as a client showed it.</param>
    /// <returns>Why that client may not come, or not stay; empty when it may.</returns>
    string Judge(byte[] certificate);
}
