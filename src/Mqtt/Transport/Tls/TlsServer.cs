using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>
/// A broker's certificate and whom it trusts, for any number of endpoints. New files count from the next handshake on; connections that
/// are open live on. Files that are no good are reported and change nothing. Thread safe.
/// </summary>
public sealed class TlsServer
{
    /// <summary>How often a busy broker looks at its files; a new certificate may well be that late.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TlsServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private SslServerAuthenticationOptions _current;
    private (FileStamp, FileStamp, FileStamp) _stamps;
    private long _lookedAt;

    /// <exception cref="CertificateFileException">A file is missing or no good.</exception>
    public TlsServer(TlsServerOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _stamps = Look();
        _current = Read();
    }

    /// <summary>How to do a handshake now.</summary>
    internal SslServerAuthenticationOptions Current()
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_lookedAt) < LookInterval) return _current;
            var stamps = Look();
            if (stamps == _stamps) return _current;
            _stamps = stamps;
            try
            {
                _current = Read();
            }
            catch (CertificateFileException failure)
            {
                MqttLog.CertificateKept(_logger, failure.Message);
            }

            return _current;
        }
    }

    private (FileStamp, FileStamp, FileStamp) Look()
    {
        _lookedAt = _time.GetTimestamp();
        return (FileStamp.Of(_options.CertificateFile), FileStamp.Of(_options.KeyFile), FileStamp.Of(_options.AuthorityFile));
    }

    private SslServerAuthenticationOptions Read()
    {
        var identity = CertificateFiles.ReadIdentity(_options.CertificateFile, _options.KeyFile);
        var asks = _options.ClientCertificates != ClientCertificates.No;
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = identity,
            EnabledSslProtocols = TlsProtocols.From(_options.MinimumVersion),
            CipherSuitesPolicy = TlsProtocols.Suites,
            AllowRenegotiation = false,
            // A resumed session would pass by whom is trusted now.
            AllowTlsResume = !asks,
            ClientCertificateRequired = asks,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (asks)
        {
            var authority = _options.AuthorityFile
                ?? throw new CertificateFileException("ClientAuthority", "missing; without it no client certificate can be verified");
            options.CertificateChainPolicy = CertificateFiles.TrustOnly(authority);
            options.RemoteCertificateValidationCallback = (_, _, _, errors) => IsWelcome(errors);
        }

        var certificate = identity.TargetCertificate;
        MqttLog.CertificateTaken(_logger, certificate.Subject, certificate.NotAfter.ToUniversalTime().ToString("u"), _options.CertificateFile);
        return options;
    }

    private bool IsWelcome(SslPolicyErrors errors) => errors == SslPolicyErrors.None
        || (errors == SslPolicyErrors.RemoteCertificateNotAvailable && _options.ClientCertificates == ClientCertificates.Optional);
}
