using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Platform.Peers;

/// <summary>A node's certificate as TLS wants it, for all that the node serves. Thread safe.</summary>
public sealed class PeerTls(IPeerTrust trust)
{
    private readonly Lock _gate = new();
    private (X509Certificate2 Certificate, SslStreamCertificateContext Context)? _shown;

    /// <summary>Made at first use: loading the TLS library must not delay the broker's start. Another object after a renewal.</summary>
    public SslStreamCertificateContext Own
    {
        get
        {
            var own = trust.Own;
            lock (_gate)
            {
                if (_shown is not { } shown || !ReferenceEquals(shown.Certificate, own))
                    _shown = shown = (own, SslStreamCertificateContext.Create(own, additionalCertificates: null, offline: true));
                return shown.Context;
            }
        }
    }

    /// <summary>The framework builds a chain before it asks us; this one looks nowhere for its links.</summary>
    public static X509ChainPolicy NoChain() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };
}
