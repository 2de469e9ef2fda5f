using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts.Peers;
using EdgeFirmware.Mqtt.Transport.Tls;
using EdgeFirmware.Platform.Peers;

namespace EdgeFirmware.Firmware.Site;

/// <summary>The node's certificate for those it serves that are no nodes, and the site's judgement of what they show. A certificate that has
/// expired may be renewed between nodes and is good for nothing here. Thread safe.</summary>
internal sealed class SiteTls(IPeerTrust trust) : ITlsIdentity
{
    private readonly PeerTls _tls = new(trust);

    /// <summary>Told that somebody may be shut out now: who serves looks at those it serves.</summary>
    public event Action? TrustChanged;

    public SslStreamCertificateContext Own => _tls.Own;

    public string Judge(byte[] certificate)
    {
        var standing = trust.Judge(certificate);
        return standing.Admission == PeerAdmission.Everything ? "" : standing.Why;
    }

    public void JudgeAgain() => TrustChanged?.Invoke();

    /// <summary>One handshake in which a client may show a certificate.</summary>
    /// <param name="refused">Told why, when it is no good.</param>
    public SslServerAuthenticationOptions AsServer(SslApplicationProtocol speaks, Action<string> refused) => new()
    {
        ServerCertificateContext = Own,
        ApplicationProtocols = [speaks],
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CipherSuitesPolicy = TlsProtocols.Suites,
        AllowRenegotiation = false,
        // A resumed session would pass by who is trusted now.
        AllowTlsResume = false,
        ClientCertificateRequired = true, // asked for; whether it is needed says the callback
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not X509Certificate2 certificate || IsWelcome(certificate, refused),
        CertificateChainPolicy = PeerTls.NoChain(),
    };

    private bool IsWelcome(X509Certificate2 shown, Action<string> refused)
    {
        var why = Judge(shown.RawData);
        if (why.Length > 0)
            refused(why);
        return why.Length == 0;
    }
}
