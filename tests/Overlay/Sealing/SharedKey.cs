using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Overlay.Tests.Sealing;

/// <summary>The lab profile: one key for all, which says nothing of who is speaking. Throws at what is no certificate, as the real one does.</summary>
internal sealed class SharedKey : IPeerTrust, IDisposable
{
    public SharedKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Own = SmallSite.Certificate(key);
    }

    public X509Certificate2 Own { get; }

    public bool AdmitsStrangers => false;

    public PeerStanding Judge(byte[] certificate)
    {
        using var shown = X509CertificateLoader.LoadCertificate(certificate);
        return shown.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(Own.PublicKey.ExportSubjectPublicKeyInfo())
            ? new PeerStanding(PeerAdmission.Everything, default, "")
            : new PeerStanding(PeerAdmission.Refused, default, "it does not hold this site's key");
    }

    public void Dispose() => Own.Dispose();
}
