using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Firmware.Site;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace EdgeFirmware.Firmware.Api;

/// <summary>TLS between a connection and HTTP, by the site's certificates. Kestrel's own would need a container of services.</summary>
internal sealed partial class TlsEntrance(SiteTls tls, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>For saying goodbye (RFC 9112, section 9.8); a client that lost power takes nothing any more.</summary>
    private static readonly TimeSpan GoodbyePatience = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly HashSet<Guest> _guests = [];

    /// <summary>Ends connections whose certificate is refused now, with what is under way on them.</summary>
    public void JudgeAgain()
    {
        Guest[] guests;
        lock (_gate)
            guests = [.. _guests];
        foreach (var guest in guests)
            JudgeAgain(guest);
    }

    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var outer = connection.Transport;
        await using var stream = new SslStream(new PipesStream(outer));
        if (!await GreetAsync(connection, stream))
            return;
        using var shown = stream.RemoteCertificate as X509Certificate2;
        var guest = new Guest(connection, shown);
        connection.Features.Set<ITlsConnectionFeature>(guest);
        if (shown is not null)
            Enter(guest);
        var inner = new Pipes(PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true)), PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
        try
        {
            connection.Transport = inner;
            await next(connection);
            await inner.Input.CompleteAsync();
            await inner.Output.CompleteAsync();
            await stream.ShutdownAsync().WaitAsync(GoodbyePatience, time);
        }
        catch (Exception error) when (error is IOException or InvalidOperationException or TimeoutException)
        {
            // The client is gone already: there is nobody to say goodbye to.
        }
        finally
        {
            connection.Transport = outer;
            lock (_gate)
                _guests.Remove(guest);
        }
    }

    /// <returns>Whether the handshake was done.</returns>
    private async Task<bool> GreetAsync(ConnectionContext connection, SslStream stream)
    {
        var refusal = "";
        using var deadline = new CancellationTokenSource(HandshakeTimeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, connection.ConnectionClosed);
        try
        {
            await stream.AuthenticateAsServerAsync(tls.AsServer(SslApplicationProtocol.Http11, why => refusal = why), limit.Token);
            return true;
        }
        catch (Exception error) when (error is IOException or AuthenticationException or CryptographicException or OperationCanceledException or ObjectDisposedException)
        {
            var why = refusal.Length > 0 ? refusal
                : deadline.IsCancellationRequested ? "not done in time"
                : connection.ConnectionClosed.IsCancellationRequested ? "the client has gone"
                : (error.InnerException ?? error).Message;
            HandshakeFailed(log, connection.RemoteEndPoint?.ToString() ?? "unknown", why);
            return false;
        }
    }

    private void Enter(Guest guest)
    {
        lock (_gate)
            _guests.Add(guest);
        JudgeAgain(guest); // shut out since its handshake, and not among those that were judged again
    }

    private void JudgeAgain(Guest guest)
    {
        if (tls.Judge(guest.Certificate) is { Length: > 0 } why)
            guest.Connection.Abort(new ConnectionAbortedException(why));
    }

    [LoggerMessage(40, LogLevel.Information, "no TLS with {From}: {Why}")]
    private static partial void HandshakeFailed(ILogger log, string from, string why);

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>A connection over TLS, and what its client has proven to own. Kestrel tells by it that requests are HTTPS.</summary>
    private sealed class Guest(ConnectionContext connection, X509Certificate2? shown) : ITlsConnectionFeature
    {
        public ConnectionContext Connection { get; } = connection;

        public byte[] Certificate { get; } = shown?.RawData ?? [];

        public X509Certificate2? ClientCertificate { get; set; } = shown;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }
}
