using System.Net;
using System.Net.Http.Headers;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EdgeFirmware.Contracts;
using EdgeFirmware.Contracts.Mesh;
using EdgeFirmware.Firmware.Api;
using EdgeFirmware.Firmware.Operations;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Platform.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Firmware.Tests.Api;

public sealed partial class LocalApiTests : IAsyncLifetime
{
    private NodeUnderTest _node = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeUnderTest.StartAsync(api: IPAddress.Any);
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_node.Configuration.ApiListen!.Port}"), Timeout = TimeSpan.FromSeconds(20) };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Every_route_of_the_document_answers_as_the_document_says()
    {
        var document = JsonNode.Parse(await _http.GetStringAsync("/openapi.json"))!;
        var count = 0;
        foreach (var (path, operations) in document["paths"]!.AsObject())
            foreach (var (method, operation) in operations!.AsObject())
            {
                using var request = new HttpRequestMessage(new HttpMethod(method.ToUpperInvariant()), path.Replace("{name}", "nobody", StringComparison.Ordinal));
                using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
                var described = operation!["responses"]!.AsObject();
                var which = described.ContainsKey(((int)response.StatusCode).ToString()) ? ((int)response.StatusCode).ToString() : "default";
                Assert.Equal(described[which]!["content"]!.AsObject().Single().Key, response.Content.Headers.ContentType!.MediaType);
                if (which == "default")
                    await ProblemAsync(response, path == "/api/v1/workloads" ? 400 : 404);
                count++;
            }
        Assert.True(count >= 12, $"{count} operations");
    }

    [Fact]
    public void Every_mapped_route_is_in_the_document()
    {
        var routes = new RouteTable();
        LocalApi.Map(routes, null!);
        var document = JsonNode.Parse(OpenApiDocument.Text)!["paths"]!.AsObject();
        foreach (var route in routes.All)
            Assert.NotNull(document[route.Pattern]?[route.Method.ToLowerInvariant()]);
    }

    [Theory]
    [InlineData("GET", "/nothing/here", "", 404)]
    [InlineData("PUT", "/api/v1/node", "", 405)]
    [InlineData("POST", "/api/v1/workloads", "", 400)]
    [InlineData("POST", "/api/v1/workloads", "{\"user\":\"demo\"}", 400)]
    [InlineData("POST", "/api/v1/workloads", "{\"user\":\"de-mo\",\"name\":\"x\",\"image\":\"i\"}", 400)]
    [InlineData("POST", "/api/v1/workloads", "{\"user\":\"demo\",\"name\":\"x..y\",\"image\":\"i\"}", 400)]
    [InlineData("POST", "/api/v1/workloads", "{\"user\":\"demo\",\"name\":\"x\",\"image\":\"i\",\"inputs\":[\"a/#/b\"]}", 400)]
    [InlineData("POST", "/api/v1/workloads", "{\"user\":\"demo\",\"name\":\"x\",\"image\":\"i\",\"surprise\":1}", 400)]
    [InlineData("GET", "/api/v1/workloads/nobody", "", 404)]
    [InlineData("POST", "/api/v1/workloads/nobody/migrate", "{\"to\":\"x\"}", 404)]
    [InlineData("POST", "/api/v1/workloads/nobody/migrate", "{", 400)]
    [InlineData("DELETE", "/api/v1/workloads/nobody", "", 404)]
    [InlineData("GET", "/api/v1/workloads/nobody/logs?tail=many", "", 400)]
    public async Task A_refusal_is_a_problem_document_with_words(string method, string path, string body, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = new StringContent(body) };
        using var response = await _http.SendAsync(request);
        await ProblemAsync(response, status);
    }

    [Fact]
    public async Task A_body_too_large_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/workloads", UriKind.Relative));
        request.Content = new ByteArrayContent(new byte[2 << 20]);
        request.Headers.ExpectContinue = true; // otherwise the refusal may end the connection before it is read
        using var response = await _http.SendAsync(request);
        await ProblemAsync(response, 413);
    }

    [Theory]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Host", "evil.example")]
    public async Task A_page_in_a_browser_needs_the_administrator_s_password(string header, string value)
    {
        using var response = await GetAsync("/api/v1/node", request => request.Headers.Add(header, value));
        await ProblemAsync(response, 401);
        Assert.Contains("Basic", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        using var wrong = await GetAsync("/api/v1/node", request => Sign(request, header, value, "admin:wrong"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using var garbage = await GetAsync("/api/v1/node", request => Sign(request, header, value, "no colon"));
        Assert.Equal(HttpStatusCode.Unauthorized, garbage.StatusCode);
        using var right = await GetAsync("/api/v1/node", request => Sign(request, header, value, $"admin:{_node.Password}"));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
        using var health = await GetAsync("/healthz", request => request.Headers.Add(header, value));
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
    }

    [ElsewhereFact]
    public async Task Who_comes_from_elsewhere_needs_the_administrator_s_password()
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://{ElsewhereFactAttribute.Address}:{_node.Configuration.ApiListen!.Port}") };
        using var response = await http.GetAsync(new Uri("/api/v1/node", UriKind.Relative));
        await ProblemAsync(response, 401);
        http.DefaultRequestHeaders.Authorization = Basic($"admin:{_node.Password}");
        using var right = await http.GetAsync(new Uri("/api/v1/node", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    [Fact]
    public async Task Metrics_are_Prometheus_text()
    {
        var text = await _http.GetStringAsync("/metrics");
        var typed = new HashSet<string>();
        foreach (var line in text.TrimEnd('\n').Split('\n'))
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
                Assert.True(typed.Add(line.Split(' ')[2]), $"typed twice: {line}");
            else if (!line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                var match = Sample().Match(line);
                Assert.True(match.Success, line);
                Assert.Contains(match.Groups["name"].Value, typed);
            }
        Assert.Contains("edge_level", typed);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_node_describes_itself()
    {
        var node = JsonNode.Parse(await _http.GetStringAsync("/api/v1/node"))!;
        Assert.Equal("gate-1", node["name"]!.GetValue<string>());
        Assert.Equal(0, node["level"]!.GetValue<int>());
        Assert.False(node["engine"]!["reachable"]!.GetValue<bool>());
        Assert.Empty(JsonNode.Parse(await _http.GetStringAsync("/api/v1/peers"))!.AsArray());
        Assert.Empty(JsonNode.Parse(await _http.GetStringAsync("/api/v1/workloads"))!.AsArray());
    }

    [Fact]
    public async Task A_workload_is_described_alone_as_in_the_list()
    {
        var directory = Directory.CreateTempSubdirectory("edge-node-").FullName;
        var elsewhere = NodeId.Parse("barn/02:00:00:00:00:02");
        var spec = new WorkloadSpec { User = "demo", Name = "conv", Image = "conv:1", Inputs = ["in/#"], Outputs = ["out"] };
        Directory.CreateDirectory(Path.Combine(directory, "workloads"));
        await new RecordDirectory(Path.Combine(directory, "workloads"), NullLogger.Instance).SaveAsync(
            new WorkloadRecord(spec, 3, 0, elsewhere, elsewhere, WorkloadState.Running, null, "test"), CancellationToken.None);
        await using var node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback, directory: directory);
        using var http = new HttpClient { BaseAddress = node.Api };
        var list = new JsonArray();
        await node.UntilAsync(async () => (list = JsonNode.Parse(await http.GetStringAsync("/api/v1/workloads"))!.AsArray()).Count > 0);
        Assert.Equal("demo-conv", Assert.Single(list)!["id"]!.GetValue<string>());
        foreach (var name in (string[])["demo-conv", "conv"])
            Assert.True(JsonNode.DeepEquals(list[0], JsonNode.Parse(await http.GetStringAsync($"/api/v1/workloads/{name}"))));
    }

    [Fact]
    public async Task Events_are_followed_from_where_one_was()
    {
        var log = new EventLog(TimeProvider.System);
        for (var i = 0; i < 3; i++)
            log.Add(new NodeEvent("kind", "subject", $"why {i}"));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        Assert.Equal([2, 3], await TakeAsync(log, after: 1, 2, limit.Token));
        Assert.Equal([1, 2, 3], await TakeAsync(log, after: 300, 3, limit.Token)); // seen before a restart
        var followers = Enumerable.Range(0, 64).Select(_ => log.Follow(0)).ToList();
        Assert.Equal(503, Assert.Throws<OperationRefusedException>(() => log.Follow(0)).Status);
        followers[0].Dispose();
        log.Follow(0).Dispose();
        for (var i = 0; i < 1000; i++)
            log.Add(new NodeEvent("kind", "subject", ""));
        await using var slow = followers[1].ReadAllAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        Assert.True(await slow.MoveNextAsync());
        Assert.Equal(1003 - 512 + 1, slow.Current.Sequence); // the oldest are lost
    }

    [Fact]
    public async Task The_event_stream_begins_at_once_and_takes_no_more_than_its_share()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/events");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var others = await Task.WhenAll(Enumerable.Range(0, 63).Select(_ => _http.GetAsync(new Uri("/api/v1/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead)));
        using var refused = await _http.GetAsync(new Uri("/api/v1/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        await ProblemAsync(refused, 503);
        foreach (var other in others)
            other.Dispose();
    }

    private static async Task<List<long>> TakeAsync(EventLog log, long after, int count, CancellationToken cancel)
    {
        using var follower = log.Follow(after);
        var sequences = new List<long>();
        await foreach (var view in follower.ReadAllAsync(cancel))
        {
            sequences.Add(view.Sequence);
            if (sequences.Count == count)
                break;
        }
        return sequences;
    }

    private static async Task ProblemAsync(HttpResponseMessage response, int status)
    {
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal(status, problem["status"]!.GetValue<int>());
        Assert.NotEmpty(problem["title"]!.GetValue<string>());
        Assert.NotEmpty(problem["detail"]!.GetValue<string>());
    }

    private async Task<HttpResponseMessage> GetAsync(string path, Action<HttpRequestMessage> change)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        change(request);
        return await _http.SendAsync(request);
    }

    private static void Sign(HttpRequestMessage request, string header, string value, string credentials)
    {
        request.Headers.Add(header, value);
        request.Headers.Authorization = Basic(credentials);
    }

    private static AuthenticationHeaderValue Basic(string credentials) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.]+(E[+-]?[0-9]+)?$""")]
    private static partial Regex Sample();

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class ElsewhereFactAttribute : FactAttribute
    {
        public static readonly IPAddress? Address = NetworkInterface.GetAllNetworkInterfaces()
            .Where(card => card is { OperationalStatus: OperationalStatus.Up, NetworkInterfaceType: not NetworkInterfaceType.Loopback })
            .SelectMany(card => card.GetIPProperties().UnicastAddresses)
            .Select(own => own.Address).FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork);

        public ElsewhereFactAttribute()
        {
            if (Address is null)
                Skip = "no interface but loopback is up";
        }
    }
}
