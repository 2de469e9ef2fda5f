using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>A client's end of TLS.</summary>
internal sealed class TlsClientWire(Socket socket, TlsClientOptions options, EndPoint server) : TlsWire(socket)
{
    protected override async Task HandshakeAsync(SslStream stream, CancellationToken cancellation)
    {
        try
        {
            await stream.AuthenticateAsClientAsync(Prepare(), cancellation);
        }
        catch (Exception failure) when (failure is AuthenticationException or CryptographicException or CertificateFileException)
        {
            throw new IOException($"TLS: {failure.Message}", failure);
        }
    }

    private SslClientAuthenticationOptions Prepare()
    {
        var tolerated = options.AnyServerName ? SslPolicyErrors.RemoteCertificateNameMismatch : SslPolicyErrors.None;
        var prepared = new SslClientAuthenticationOptions
        {
            TargetHost = options.ServerName ?? HostOf(server),
            EnabledSslProtocols = TlsProtocols.From(options.MinimumVersion),
            CipherSuitesPolicy = TlsProtocols.Suites,
            AllowRenegotiation = false,
            RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~tolerated) == SslPolicyErrors.None,
        };
        if (options.AuthorityFile is { } authority) prepared.CertificateChainPolicy = CertificateFiles.TrustOnly(authority);
        if (options.CertificateFile is { } certificate)
            prepared.ClientCertificateContext = CertificateFiles.ReadIdentity(certificate, options.KeyFile ?? certificate);
        return prepared;
    }

    private static string HostOf(EndPoint server) => server switch
    {
        DnsEndPoint named => named.Host,
        IPEndPoint address => address.Address.ToString(),
        _ => "localhost",
    };
}
