using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Tests.Support;

namespace EdgeFirmware.Firmware.Tests.Api;

/// <summary>The API over TLS with a site's certificates, on a whole node.</summary>
public sealed class HttpsTests : IAsyncLifetime
{
    private SiteUnderTest _site = null!;
    private string _barn = "";

    public async Task InitializeAsync()
    {
        _site = await SiteUnderTest.StartAsync();
        _barn = await _site.JoinAsync("barn");
    }

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_node_of_the_site_has_the_administrators_rights_by_its_certificate(SslProtocols version)
    {
        using var http = _site.NewClient(_barn, version);
        Assert.Equal("gate-1", JsonNode.Parse(await http.GetStringAsync("/api/v1/node"))!["name"]!.GetValue<string>());
        using var refused = await http.PostAsync(new Uri("/api/v1/workloads", UriKind.Relative), new StringContent("{"));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode); // of the body, not of who asks
    }

    [Fact]
    public async Task Who_shows_no_certificate_needs_the_administrators_password()
    {
        using var http = _site.NewClient(null);
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http));
        http.DefaultRequestHeaders.Authorization = Basic($"admin:{_site.Node.Password}");
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http));
        http.DefaultRequestHeaders.Authorization = Basic("admin:wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http));
    }

    [Fact]
    public async Task A_page_in_a_browser_cannot_use_a_certificate()
    {
        using var http = _site.NewClient(_barn);
        http.DefaultRequestHeaders.Add("Origin", "https://evil.example");
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(http));
    }

    [Fact]
    public async Task A_certificate_of_another_site_ends_the_handshake()
    {
        await using var other = await SiteUnderTest.StartAsync(name: "elsewhere");
        using var http = _site.NewClient(await other.JoinAsync("barn"));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(http));
        await _site.LoggedAsync("of another site");
    }

    [Fact]
    public async Task A_revoked_node_loses_what_it_has_open_and_comes_in_no_more()
    {
        var shed = await _site.JoinAsync("shed");
        using var lost = _site.NewClient(shed);
        using var other = _site.NewClient(_barn);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(lost));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(other));
        await using var events = await lost.GetStreamAsync("/api/v1/events");
        await _site.RevokeAsync("shed");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await Assert.ThrowsAnyAsync<IOException>(async () => // a stream in chunks that is cut off
        {
            while (await events.ReadAsync(new byte[4096], limit.Token) > 0)
            {
                // what was said before
            }
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(lost));
        await _site.LoggedAsync("is revoked");
        Assert.Equal(HttpStatusCode.OK, await AskAsync(other));
    }

    [Fact]
    public async Task Bodies_of_every_size_pass_both_ways()
    {
        using var http = _site.NewClient(_barn);
        using var plain = new HttpClient { BaseAddress = _site.Node.Api };
        Assert.Equal(await plain.GetStringAsync("/openapi.json"), await http.GetStringAsync("/openapi.json"));
        foreach (var (size, status) in ((int, HttpStatusCode)[])[(0, HttpStatusCode.BadRequest), (16_384, HttpStatusCode.BadRequest), (1 << 20, HttpStatusCode.BadRequest), ((1 << 20) + 1, HttpStatusCode.RequestEntityTooLarge)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/workloads") { Content = new ByteArrayContent(new byte[size]) };
            // What is refused by its length must not be under way already: the connection ends, and the answer could be lost with it (RFC 9112, section 9.6).
            request.Headers.ExpectContinue = status == HttpStatusCode.RequestEntityTooLarge;
            using var answer = await http.SendAsync(request);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    [Fact]
    public async Task MQTT_over_WebSocket_is_there_too()
    {
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("mqtt");
        using var invoker = new HttpMessageInvoker(_site.NewHandler(null));
        await socket.ConnectAsync(new Uri($"wss://gate-1:{_site.Node.Configuration.ApiTlsListen!.Port}/mqtt"), invoker, CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("mqtt", socket.SubProtocol);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "no TLS with")]
    [InlineData("\u0016\u0003\u0001", "not done in time")] // the first bytes of a handshake, and then silence
    public async Task What_is_no_handshake_is_closed_and_harms_nobody(string bytes, string logged)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_site.Node.Configuration.ApiTlsListen!);
        await socket.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)); // more than the five that a handshake may take
        await ReadToEndAsync(socket.GetStream(), limit.Token);
        await _site.LoggedAsync(logged);
        using var http = _site.NewClient(_barn);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(http));
    }

    /// <summary>An alert may come before the end, and the end may be a reset.</summary>
    private static async Task ReadToEndAsync(NetworkStream stream, CancellationToken cancel)
    {
        try
        {
            while (await stream.ReadAsync(new byte[256], cancel) > 0)
            {
                // an alert
            }
        }
        catch (IOException)
        {
            // a reset
        }
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient http)
    {
        using var answer = await http.GetAsync(new Uri("/api/v1/node", UriKind.Relative));
        return answer.StatusCode;
    }

    private static AuthenticationHeaderValue Basic(string credentials) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
}
