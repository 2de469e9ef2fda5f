using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Platform.Peers;

/// <summary>The lab profile: one certificate for all nodes, see <see cref="SiteCertificate"/>. It says nothing of which node is speaking.</summary>
public sealed class LabTrust : IPeerTrust, IDisposable
{
    // Made at first use: loading the TLS library must not delay the broker's start.
    private readonly Lazy<(X509Certificate2 Own, byte[] PublicKey)> _identity;

    public LabTrust(byte[] siteKey) => _identity = new(() =>
    {
        var certificate = SiteCertificate.Create(siteKey);
        return (certificate, certificate.PublicKey.ExportSubjectPublicKeyInfo());
    });

    public X509Certificate2 Own => _identity.Value.Own;

    public bool AdmitsStrangers => false;

    public PeerStanding Judge(byte[] certificate)
    {
        using var shown = X509CertificateLoader.LoadCertificate(certificate);
        return CryptographicOperations.FixedTimeEquals(shown.PublicKey.ExportSubjectPublicKeyInfo(), _identity.Value.PublicKey)
            ? new PeerStanding(PeerAdmission.Everything, default, "")
            : new PeerStanding(PeerAdmission.Refused, default, "it does not hold this site's key");
    }

    public void Dispose()
    {
        if (_identity.IsValueCreated)
            Own.Dispose();
    }
}
