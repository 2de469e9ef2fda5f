using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeFirmware.Contracts;
using EdgeFirmware.Firmware.Api;
using EdgeFirmware.Firmware.Logging;
using EdgeFirmware.Firmware.Site;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mesh.Site;
using EdgeFirmware.Mesh.Tests.Site;
using EdgeFirmware.Mqtt.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Firmware.Tests.Api;

/// <summary>The way in on its own, so that what the site thinks can change while nobody has been told.</summary>
public sealed class TlsEntranceTests : IAsyncLifetime
{
    private readonly TestSite _site = new();
    private readonly IPEndPoint _address = new(IPAddress.Loopback, NodeUnderTest.FreePort());
    private readonly SiteIdentity _identity;
    private readonly SiteView _view;
    private readonly SiteTls _tls;
    private readonly HttpServer _server;

    public TlsEntranceTests()
    {
        var start = _site.Start(TestSite.Node(1), issues: true);
        _view = new SiteCore(start, new Random(1), default).View(default);
        _identity = new SiteIdentity(ECDsa.Create(_site.KeyOf(start.Self).ExportParameters(true)), _view, TimeProvider.System);
        _tls = new SiteTls(_identity);
        var journal = new JournalLog(LogLevel.Debug, TextWriter.Null, underSystemd: false, TimeProvider.System);
        var guard = new LoginGuard(new LoginThrottle(new LoginThrottleOptions()), TimeProvider.System, NullLogger.Instance, (_, _) => { });
        var gate = new Gate(open: false, static () => null, _tls, guard);
        _server = new HttpServer(
            null, (_address, new TlsEntrance(_tls, TimeProvider.System, NullLogger.Instance)), journal, context => gate.InvokeAsync(context, admitted => admitted.Response.WriteAsync(admitted.Request.Scheme)));
    }

    public Task InitializeAsync() => _server.StartAsync(CancellationToken.None);

    public async Task DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(patience.Token);
        _server.Dispose();
        _identity.Dispose();
        _site.Dispose();
    }

    [Fact]
    public async Task Each_request_of_a_connection_that_lives_on_is_judged_anew()
    {
        using var http = NewClient(2);
        Assert.Equal("https", await http.GetStringAsync("/"));
        Revoke(2);
        using var answer = await http.GetAsync(new Uri("/", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Contains($"the certificate of {TestSite.Node(2)} is revoked", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_has_expired_may_be_renewed_elsewhere_and_is_no_good_here()
    {
        _identity.ViewIs(_view with { Now = new SiteTime(TestSite.Today + 400 * TestSite.Day, IsKnown: true, ""), At = Instant.Now(TimeProvider.System) });
        using var http = NewClient(2);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetStringAsync("/"));
        _identity.ViewIs(_view); // nobody knows the time: dates do not count
        using var again = NewClient(2);
        Assert.Equal("https", await again.GetStringAsync("/"));
    }

    [Fact]
    public async Task The_certificate_shown_is_the_one_in_force()
    {
        Assert.Equal(_view.Own.Der, (await SiteUnderTest.ShownAsync(_address)).RawData);
        var renewed = _site.Issue(TestSite.Node(1), TestSite.Today + 300 * TestSite.Day);
        _identity.ViewIs(_view with { Own = renewed });
        Assert.Equal(renewed.Der, (await SiteUnderTest.ShownAsync(_address)).RawData);
    }

    private void Revoke(int number) => _identity.ViewIs(_view with
    {
        Revocations = _site.Authority.SignRevocations(1, [new RevokedKey(_site.Issue(TestSite.Node(number)).KeyHash, TestSite.Node(number))], TestSite.Today),
    });

    private HttpClient NewClient(int number)
    {
        using var bare = X509CertificateLoader.LoadCertificate(_site.Issue(TestSite.Node(number)).Der);
        var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificateContext = System.Net.Security.SslStreamCertificateContext.Create(bare.CopyWithPrivateKey(_site.KeyOf(TestSite.Node(number))), null, offline: true);
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null;
        return new HttpClient(handler) { BaseAddress = new Uri($"https://{_address}"), Timeout = TimeSpan.FromSeconds(20) };
    }
}
