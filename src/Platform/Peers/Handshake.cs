using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Peers;

namespace EdgeFirmware.Platform.Peers;

/// <summary>One TLS handshake: what is shown, and what the peer's certificate is found to be. The system's authorities and revocation servers have
/// no say.</summary>
internal sealed class Handshake(IPeerTrust? trust)
{
    private string _refusal = "";

    /// <summary>DER; empty for a peer that shows none.</summary>
    public byte[] Shown { get; private set; } = [];

    public PeerStanding Standing { get; private set; }

    /// <summary>No member: it may only enrol.</summary>
    public bool IsStranger => Shown.Length == 0;

    /// <param name="own">What this side shows; <c>null</c> for a machine that has no certificate yet.</param>
    public SslClientAuthenticationOptions AsClient(SslStreamCertificateContext? own) => new()
    {
        TargetHost = "edge-firmware site",
        ClientCertificateContext = own,
        EnabledSslProtocols = SslProtocols.Tls13,
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate && IsTrusted(certificate),
        CertificateChainPolicy = PeerTls.NoChain(),
    };

    public SslServerAuthenticationOptions AsServer(SslStreamCertificateContext own) => new()
    {
        ServerCertificateContext = own,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        // A resumed session would pass by who is trusted now.
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate ? IsTrusted(certificate) : trust!.AdmitsStrangers,
        CertificateChainPolicy = PeerTls.NoChain(),
    };

    /// <summary>Whether the peer may speak as it says, of what it says.</summary>
    /// <exception cref="PeerException">It may not.</exception>
    public void Check(ConversationKind kind, NodeId who)
    {
        if (IsStranger && kind != ConversationKind.Enrolment)
            throw new PeerException($"{who} shows no certificate, and may only enrol");
        if (IsStranger || trust is null)
            return;
        if (Standing.Node != default && Standing.Node != who)
            throw new PeerException($"it says that it is {who} and shows the certificate of {Standing.Node}");
        if (Standing.Admission == PeerAdmission.Renewal && kind != ConversationKind.Site)
            throw new PeerException($"{who}: {Standing.Why}");
    }

    /// <summary>What was wrong with the peer's certificate, when that is why the handshake failed.</summary>
    public string Explain(Exception error) =>
        _refusal.Length > 0
            ? _refusal
            : $"it does not hold this site's key or certificate, or does not speak TLS 1.3 ({error.InnerException?.Message ?? error.Message})";

    private bool IsTrusted(X509Certificate2 certificate)
    {
        Shown = certificate.RawData;
        if (trust is null)
            return true; // a machine that enrols finds out afterwards whom it speaks to
        Standing = trust.Judge(Shown);
        if (Standing.Admission == PeerAdmission.Refused)
            _refusal = Standing.Why;
        return Standing.Admission != PeerAdmission.Refused;
    }
}
