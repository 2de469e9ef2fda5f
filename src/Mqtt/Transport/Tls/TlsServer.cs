using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>
/// A broker's certificate and whom it trusts, for any number of endpoints. What is new counts from the next handshake on. Files that are no
/// good are reported and change nothing, and connections that are open live on; an <see cref="ITlsIdentity"/> may end those. Thread safe.
/// </summary>
public sealed class TlsServer
{
    /// <summary>How often a busy broker looks at its files; a new certificate may well be that late.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly TlsServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HashSet<TlsServerWire> _judged = [];
    private SslServerAuthenticationOptions _current;
    private (FileStamp, FileStamp, FileStamp) _stamps;
    private long _lookedAt;

    /// <exception cref="CertificateFileException">A file is missing or no good.</exception>
    public TlsServer(TlsServerOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        if (options.Identity is null) _stamps = Look();
        _current = Read();
    }

    /// <summary>Ends connections whose certificate <see cref="ITlsIdentity.Judge"/> refuses now.</summary>
    public void JudgeAgain()
    {
        TlsServerWire[] open;
        lock (_gate) open = [.. _judged];
        foreach (var wire in open) JudgeAgain(wire);
    }

    /// <summary>How to do a handshake now.</summary>
    internal SslServerAuthenticationOptions Current()
    {
        lock (_gate)
        {
            if (!IsStale()) return _current;
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

    /// <summary>A connection that has shown a certificate begins, until <see cref="Left"/>.</summary>
    internal void Entered(TlsServerWire wire)
    {
        if (_options.Identity is null) return;
        lock (_gate) _judged.Add(wire);
        JudgeAgain(wire); // refused since its handshake, and nobody has looked at it yet
    }

    internal void Left(TlsServerWire wire)
    {
        lock (_gate) _judged.Remove(wire);
    }

    private void JudgeAgain(TlsServerWire wire)
    {
        if (_options.Identity!.Judge(wire.Shown) is not { Length: > 0 } why) return;
        MqttLog.CertificateRefused(_logger, wire.CertificateName ?? "", why);
        wire.Dispose();
    }

    private bool IsStale()
    {
        if (_options.Identity is { } identity) return !ReferenceEquals(identity.Own, _current.ServerCertificateContext);
        if (_time.GetElapsedTime(_lookedAt) < LookInterval) return false;
        var stamps = Look();
        if (stamps == _stamps) return false;
        _stamps = stamps;
        return true;
    }

    private (FileStamp, FileStamp, FileStamp) Look()
    {
        _lookedAt = _time.GetTimestamp();
        return (FileStamp.Of(_options.CertificateFile), FileStamp.Of(_options.KeyFile), FileStamp.Of(_options.AuthorityFile));
    }

    private SslServerAuthenticationOptions Read()
    {
        var own = _options.Identity?.Own ?? CertificateFiles.ReadIdentity(_options.CertificateFile, _options.KeyFile);
        var asks = _options.ClientCertificates != ClientCertificates.No;
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = own,
            EnabledSslProtocols = TlsProtocols.From(_options.MinimumVersion),
            CipherSuitesPolicy = TlsProtocols.Suites,
            AllowRenegotiation = false,
            // A resumed session would pass by whom is trusted now.
            AllowTlsResume = !asks,
            ClientCertificateRequired = asks,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        if (asks && _options.Identity is { } identity)
        {
            options.CertificateChainPolicy = CertificateFiles.TrustNothing();
            options.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is X509Certificate2 certificate ? IsWelcome(identity, certificate) : !IsNeeded;
        }
        else if (asks)
        {
            var authority = _options.AuthorityFile
                ?? throw new CertificateFileException("ClientAuthority", "missing; without it no client certificate can be verified");
            options.CertificateChainPolicy = CertificateFiles.TrustOnly(authority);
            options.RemoteCertificateValidationCallback = (_, _, _, errors) =>
                errors == SslPolicyErrors.None || (errors == SslPolicyErrors.RemoteCertificateNotAvailable && !IsNeeded);
        }

        var shown = own.TargetCertificate;
        MqttLog.CertificateTaken(
            _logger, shown.Subject, shown.NotAfter.ToUniversalTime().ToString("u"), _options.Identity is null ? _options.CertificateFile : "the site");
        return options;
    }

    private bool IsNeeded => _options.ClientCertificates == ClientCertificates.Required;

    private bool IsWelcome(ITlsIdentity identity, X509Certificate2 shown)
    {
        if (identity.Judge(shown.RawData) is not { Length: > 0 } why) return true;
        MqttLog.CertificateRefused(_logger, CertificateFiles.CommonNameOf(shown) ?? "", why);
        return false;
    }
}
