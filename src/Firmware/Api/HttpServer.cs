using System.Net;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Platform.Network;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeFirmware.Firmware.Api;

/// <summary>Kestrel without host, container of services and router around it: they would be a twentieth of the binary.</summary>
internal sealed class HttpServer : IHttpApplication<HttpContext>, IDisposable
{
    private const long BodyBytesMax = 1 << 20;
    private const int ConnectionsMax = 128;

    private readonly KestrelServer _server;
    private readonly RequestDelegate _answer;

    /// <param name="listen">For plain HTTP; <c>null</c>: nowhere.</param>
    /// <param name="tls">For HTTPS; <c>null</c>: nowhere.</param>
    public HttpServer(IPEndPoint? listen, (IPEndPoint Listen, TlsEntrance Entrance)? tls, JournalLog journal, RequestDelegate answer)
    {
        _answer = answer;
        var kestrel = new KestrelServerOptions { AddServerHeader = false, ApplicationServices = new NoServices() };
        kestrel.Limits.MaxRequestBodySize = BodyBytesMax;
        kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
        if (listen is not null)
            kestrel.Listen(listen, static endpoint => endpoint.Protocols = HttpProtocols.Http1);
        if (tls is var (address, entrance))
            kestrel.Listen(address, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.Use(next => connection => entrance.ServeAsync(connection, next));
            });
        var sockets = new SocketTransportOptions();
        sockets.CreateBoundListenSocket = address => FreeBind.Listen(address, sockets.Backlog, journal.For("api"));
        var complaints = new Complaints(journal.For("api"));
        _server = new KestrelServer(Options.Create(kestrel), new SocketTransportFactory(Options.Create(sockets), complaints), complaints);
    }

    public Task StartAsync(CancellationToken cancel) => _server.StartAsync(this, cancel);

    /// <summary>Lets requests end until the token is cancelled.</summary>
    public Task StopAsync(CancellationToken patience) => _server.StopAsync(patience);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => _answer(context);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Kestrel reports the exception, and owns what the context is made of.
    }

    public void Dispose() => _server.Dispose();

    /// <summary>What only certificates of Kestrel's own would be looked up in.</summary>
    private sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }

    /// <summary>Kestrel's warnings and faults go where ours go; what it tells of each connection does not.</summary>
    private sealed class Complaints(ILogger journal) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the journal is the only log");

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && journal.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                journal.Log(logLevel, eventId, state, exception, formatter);
        }

        public void Dispose()
        {
            // The journal outlives the API.
        }
    }
}
