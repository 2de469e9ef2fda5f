using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Tests.Cli;

/// <summary>List, show and kick the broker's clients, on the command line and over HTTP.</summary>
public sealed class ClientCommandsTests : IAsyncLifetime
{
    private NodeUnderTest _node = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _node = await NodeUnderTest.StartAsync(allowAnonymous: true, api: IPAddress.Loopback);
        _http = new HttpClient { BaseAddress = _node.Api, Timeout = TimeSpan.FromSeconds(20) };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_client_is_listed_shown_and_kicked()
    {
        await using var meter = await ConnectAsync("site/meter 7");
        await meter.SubscribeAsync("power/+", QoS.AtLeastOnce);
        await using var other = await ConnectAsync("other");

        var list = await AskAsync("clients", "list", "--prefix", "site/");
        Assert.Equal(1, (int)list["total"]!);
        Assert.Equal(("site/meter 7", "tcp", "5", true), Seen(list["clients"]![0]!));
        var (_, table, _) = await _node.CommandAsync("clients", "list", "--limit", "1");
        Assert.Contains("more", table, StringComparison.Ordinal);

        var shown = await AskAsync("clients", "show", "site/meter 7");
        Assert.Equal(("power/+", 1), ((string)shown["subscriptions"]![0]!["filter"]!, (int)shown["subscriptions"]![0]!["qos"]!));
        Assert.Contains("power/+", (await _node.CommandAsync("clients", "show", "site/meter 7")).Output, StringComparison.Ordinal);

        var (code, said, _) = await _node.CommandAsync("clients", "kick", "site/meter 7", "--reason", "its firmware is old");
        Assert.Equal((0, "site/meter 7 disconnected"), (code, said.Trim()));
        await _node.UntilAsync(async () => !(bool)(await AskAsync("clients", "show", "site/meter 7"))["client"]!["connected"]!);
        Assert.True((bool)(await AskAsync("clients", "show", "other"))["client"]!["connected"]!);
        Assert.Contains("event: client-kicked", await FirstEventAsync(), StringComparison.Ordinal);

        // Its session is still there, and goes when that is asked for.
        var (refused, _, error) = await _node.CommandAsync("clients", "kick", "site/meter 7");
        Assert.NotEqual(0, refused);
        Assert.Contains("--end-session", error, StringComparison.Ordinal);
        Assert.Equal(0, (await _node.CommandAsync("clients", "kick", "site/meter 7", "--end-session")).Code);
        Assert.Equal(1, (int)(await AskAsync("clients", "list"))["total"]!);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("50%2F")]
    [InlineData("ü ?#")]
    public async Task A_client_ID_with_any_character_in_it_can_be_named_in_a_path(string id)
    {
        await using var client = await ConnectAsync(id);
        var path = $"/api/v1/clients/{Uri.EscapeDataString(id)}";
        var shown = JsonNode.Parse(await _http.GetStringAsync(path))!;
        Assert.Equal(id, (string)shown["client"]!["id"]!);
        using var gone = await _http.DeleteAsync(path + "?endSession=true");
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);
        // The session ends with the connection, a moment later.
        await _node.UntilAsync(async () =>
        {
            using var again = await _http.GetAsync(path);
            return again.StatusCode == HttpStatusCode.NotFound;
        });
    }

    [Theory]
    [InlineData("GET", "/api/v1/clients?limit=0", 400)]
    [InlineData("GET", "/api/v1/clients?limit=many", 400)]
    [InlineData("GET", "/api/v1/clients/nobody", 404)]
    [InlineData("DELETE", "/api/v1/clients/nobody", 404)]
    public async Task What_cannot_be_done_is_said(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await _http.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task All_that_the_broker_counts_is_among_the_metrics()
    {
        await using var client = await ConnectAsync("one");
        var text = await _http.GetStringAsync("/metrics");
        Assert.Contains("\nedge_mqtt_clients_connected 1\n", text, StringComparison.Ordinal);
        Assert.Contains("\nedge_mqtt_limit_hits_total{limit=\"Queue\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("\n# TYPE edge_mqtt_bytes_received_total counter\n", text, StringComparison.Ordinal);
        var series = text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' ')[0]).ToList();
        Assert.Equal(series.Count, series.Distinct().Count());
    }

    private static (string, string, string, bool) Seen(JsonNode client) =>
        ((string)client["id"]!, (string)client["transport"]!, (string)client["version"]!, (bool)client["connected"]!);

    private async Task<MqttClient> ConnectAsync(string id)
    {
        var client = new MqttClient(new MqttClientOptions
        {
            Server = new IPEndPoint(IPAddress.Loopback, await _node.MqttPortAsync()), ClientId = id, SessionExpirySeconds = 3600,
        });
        Assert.Equal(ReasonCode.Success, (await client.ConnectAsync()).Reason);
        return client;
    }

    /// <summary>The one event there is in a node of which nothing else was asked.</summary>
    private async Task<string> FirstEventAsync()
    {
        using var response = await _http.GetAsync(new Uri("/api/v1/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var text = "";
        while (!text.Contains("client-", StringComparison.Ordinal))
            text += await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(20)) + "\n";
        return text;
    }

    private async Task<JsonNode> AskAsync(params string[] words)
    {
        var (code, output, error) = await _node.CommandAsync([.. words, "--json"]);
        Assert.True(code == 0, error);
        return JsonNode.Parse(output)!;
    }
}
