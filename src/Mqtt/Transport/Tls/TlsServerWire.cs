using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeFirmware.Mqtt.Transport.Tls;

/// <summary>The broker's end of TLS.</summary>
/// <param name="handshakes">A place for each handshake that may be under way.</param>
internal sealed class TlsServerWire(Socket socket, TlsServer server, SemaphoreSlim handshakes, TimeSpan timeout, TimeProvider time)
    : TlsWire(socket)
{
    private string? _certificateName;

    public override string? CertificateName => _certificateName;

    /// <summary>What the client proved itself with, DER; empty for nothing.</summary>
    public byte[] Shown { get; private set; } = [];

    public override void Dispose()
    {
        base.Dispose();
        server.Left(this);
    }

    protected override async Task HandshakeAsync(SslStream stream, CancellationToken cancellation)
    {
        // Who has said nothing yet waits as on any other endpoint, and takes nobody's place.
        await Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, cancellation);
        await handshakes.WaitAsync(cancellation);
        try
        {
            using var limit = new CancellationTokenSource(timeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
            await stream.AuthenticateAsServerAsync(server.Current(), either.Token);
            if (stream.RemoteCertificate is X509Certificate2 certificate) Enter(certificate);
        }
        catch (Exception failure) when (failure is AuthenticationException or CryptographicException or IOException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new IOException($"TLS handshake: {(failure is OperationCanceledException ? "not done in time" : Explain(failure))}", failure);
        }
        finally
        {
            handshakes.Release();
        }
    }

    private void Enter(X509Certificate2 certificate)
    {
        _certificateName = CertificateFiles.CommonNameOf(certificate);
        Shown = certificate.RawData;
        server.Entered(this);
        if (IsClosed) server.Left(this);
    }

    /// <summary>The innermost message is OpenSSL's, which is the one that says what.</summary>
    private static string Explain(Exception failure) => failure.InnerException is { } inner ? Explain(inner) : failure.Message;
}
