using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Tests.Support;
using EdgeFirmware.Mqtt;
using EdgeFirmware.Mqtt.Authentication;
using EdgeFirmware.Mqtt.Client;

namespace EdgeFirmware.Firmware.Tests.Users;

/// <summary>Users from the command line to the client, on a whole node.</summary>
public sealed class UsersOfANodeTests : IAsyncLifetime
{
    private NodeUnderTest _node = null!;

    public async Task InitializeAsync() => _node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback);

    public async Task DisposeAsync() => await _node.DisposeAsync();

    [Fact]
    public async Task Mosquitto_s_clients_come_in_by_user_and_password_and_may_what_the_rules_say()
    {
        await UsersAsync("users", "add", "pump", "--rule", "allow all site/%u/#");
        var port = await _node.MqttPortAsync();
        var heard = Mosquitto("sub", port, "pump", "pw", "-t", "site/pump/+", "-C", "1", "-W", "20");
        await _node.UntilAsync(async () => JsonNode.Parse((await _node.CommandAsync("status", "--json")).Output)!["broker"]!["subscriptions"]!.GetValue<int>() == 1);
        Assert.Equal(0, (await EndAsync(Mosquitto("pub", port, "pump", "pw", "-t", "site/pump/t", "-m", "21"))).Code);
        Assert.Equal((0, "21"), await EndAsync(heard));
        Assert.NotEqual(0, (await EndAsync(Mosquitto("pub", port, "pump", "wrong", "-t", "site/pump/t", "-m", "x"))).Code);
        using var denied = Mosquitto("sub", port, "pump", "pw", "-t", "site/#", "-C", "1", "-W", "5");
        Assert.Contains("denied", await denied.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
        Assert.Contains("pump", (await _node.CommandAsync("users", "list")).Output, StringComparison.Ordinal);
        Assert.Contains("1 failed", (await _node.CommandAsync("logins")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_holds_at_once_and_only_for_those_it_concerns()
    {
        await UsersAsync("users", "add", "a");
        await UsersAsync("users", "add", "b", "--rule", "allow all #");
        await using var a = await ConnectAsync("a");
        await using var b = await ConnectAsync("b");
        await a.SubscribeAsync("news");
        await b.SubscribeAsync("news");
        Assert.Contains("1 subscriptions", await UsersAsync("users", "deny", "b", "read", "news"), StringComparison.Ordinal);
        Assert.Contains("1 clients disconnected", await UsersAsync("users", "change", "b", "--enabled", "false"), StringComparison.Ordinal);
        await _node.UntilAsync(() => Task.FromResult(!b.IsConnected));
        await _node.CommandAsync("pub", "-t", "news", "-m", "x");
        Assert.Equal("news", (await a.ReceiveAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20))).Message.Topic);
        Assert.True(a.IsConnected);
        await UsersAsync("users", "remove", "a");
        await _node.UntilAsync(() => Task.FromResult(!a.IsConnected));
    }

    [Fact]
    public async Task A_tenant_s_rules_hold_for_its_users_and_cannot_be_undone_by_them()
    {
        await UsersAsync("tenants", "add", "acme", "--rule", "allow all acme/%u/#", "--rule", "deny write acme/+/config");
        await UsersAsync("users", "add", "a", "--tenant", "acme", "--rule", "allow write acme/a/config");
        await using var a = await ConnectAsync("a");
        Assert.False((await a.PublishAsync(new MqttMessage { Topic = "acme/a/t", QoS = QoS.AtLeastOnce })).IsFailure());
        Assert.Equal(ReasonCode.NotAuthorized, await a.PublishAsync(new MqttMessage { Topic = "acme/a/config", QoS = QoS.AtLeastOnce }));
        Assert.Equal(ReasonCode.NotAuthorized, await a.PublishAsync(new MqttMessage { Topic = "acme/b/t", QoS = QoS.AtLeastOnce }));
        Assert.Equal(ExitCode.Refused, (await _node.CommandAsync("tenants", "remove", "acme")).Code);
    }

    [Fact]
    public async Task Quotas_of_user_and_tenant_hold_and_what_is_used_of_them_is_shown()
    {
        await UsersAsync("tenants", "add", "acme", "--quota", "connectionsMax=2");
        await UsersAsync("users", "add", "a", "--tenant", "acme", "--rule", "allow all #", "--quota", "retainedMessagesMax=1");
        await UsersAsync("users", "add", "b", "--tenant", "acme", "--rule", "allow all #");
        await using var a = await ConnectAsync("a");
        await using var b = await ConnectAsync("b");
        await using var third = await ClientAsync("b", "c");
        Assert.Equal(ReasonCode.QuotaExceeded, (await third.ConnectAsync()).Reason);
        Assert.False((await RetainAsync("1")).IsFailure());
        Assert.Equal(ReasonCode.QuotaExceeded, await RetainAsync("2"));
        Assert.Contains("\"connections\":2", await UsersAsync("tenants", "show", "acme"), StringComparison.Ordinal);
        using var http = new HttpClient { BaseAddress = _node.Api };
        var metrics = await http.GetStringAsync("/metrics");
        Assert.Contains("\nedge_quota_met_total{tenant=\"acme\",quota=\"Connections\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nedge_quota_met_total{user=\"a\",quota=\"Retained\"} 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\"Connections\":1", await UsersAsync("tenants", "show", "acme"), StringComparison.Ordinal);
        Assert.Contains("\"retainedMessages\":1", await UsersAsync("users", "show", "a"), StringComparison.Ordinal);
        await UsersAsync("users", "change", "a", "--quota", "retainedMessagesMax=2");
        Assert.False((await RetainAsync("2")).IsFailure());
        await UsersAsync("tenants", "change", "acme", "--quota", "connectionsMax=none");
        await using var fourth = await ClientAsync("b", "d");
        Assert.Equal(ReasonCode.Success, (await fourth.ConnectAsync()).Reason);

        ValueTask<ReasonCode> RetainAsync(string topic) => new(a.PublishAsync(
            new MqttMessage { Topic = topic, QoS = QoS.AtLeastOnce, Retain = true, Payload = "x"u8.ToArray() }));
    }

    [Fact]
    public async Task SCRAM_proves_the_same_password()
    {
        var made = JsonNode.Parse(await UsersAsync("users", "add", "s", "--generate", "--json"))!["password"]!.GetValue<string>();
        var port = await _node.MqttPortAsync();
        await using var client = new MqttClient(new MqttClientOptions
        {
            Server = new IPEndPoint(IPAddress.Loopback, port), ClientId = "s", Authentication = new ScramClient("s", made),
        });
        Assert.Equal(ReasonCode.Success, (await client.ConnectAsync()).Reason);
    }

    [Fact]
    public async Task A_file_edited_by_hand_is_taken_up_and_a_bad_one_is_not()
    {
        await UsersAsync("users", "add", "a");
        var path = Path.Combine(_node.Configuration.DataDirectory, "users.json");
        var good = await File.ReadAllTextAsync(path);
        await File.WriteAllTextAsync(path, "{ \"users\": [ { \"name\": \"a/b\" } ] }");
        var (code, _, error) = await _node.RunWithInputAsync("pw", "users", "add", "c");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("a/b", error, StringComparison.Ordinal);
        await using var a = await ConnectAsync("a");
        Assert.True(a.IsConnected);
        await File.WriteAllTextAsync(path, good.Replace("\"a\"", "\"renamed\"", StringComparison.Ordinal));
        await _node.UntilAsync(() => Task.FromResult(!a.IsConnected));
        await using var renamed = await ConnectAsync("renamed");
    }

    [Fact]
    public async Task The_API_does_the_same()
    {
        using var http = new HttpClient { BaseAddress = _node.Api };
        using var made = await http.PostAsync(new Uri("/api/v1/users/h", UriKind.Relative), new StringContent("{\"password\":\"pw\",\"rules\":[\"allow read a/#\"]}"));
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.DoesNotContain("pw", await http.GetStringAsync(new Uri("/api/v1/users/h", UriKind.Relative)), StringComparison.Ordinal);
        using var again = await http.PostAsync(new Uri("/api/v1/users/h", UriKind.Relative), new StringContent("{}"));
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        await using var client = await ConnectAsync("h");
        using var changed = await http.PatchAsync(new Uri("/api/v1/users/h", UriKind.Relative), new StringContent("{\"enabled\":false}"));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await _node.UntilAsync(() => Task.FromResult(!client.IsConnected));
        using var removed = await http.DeleteAsync(new Uri("/api/v1/users/h", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, removed.StatusCode);
        Assert.Empty(JsonNode.Parse(await http.GetStringAsync(new Uri("/api/v1/users", UriKind.Relative)))!.AsArray());
        Assert.Contains("edge_logins_failed_total 0", await http.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("users", "add", "a+b")]
    [InlineData("users", "add", "admin")]
    [InlineData("users", "add", "x", "--rule", "allow nothing at-all")]
    [InlineData("users", "add", "x", "--quota", "connectionsMax=many")]
    [InlineData("users", "add", "x", "--tenant", "nobody")]
    public async Task What_cannot_be_is_wrong_usage(params string[] arguments)
    {
        var (code, _, error) = await _node.RunWithInputAsync("pw", arguments);
        Assert.Equal(ExitCode.Usage, code);
        Assert.NotEmpty(error);
        Assert.False(File.Exists(Path.Combine(_node.Configuration.DataDirectory, "users.json")));
    }

    private async Task<string> UsersAsync(params string[] arguments)
    {
        var (code, output, error) = await _node.RunWithInputAsync("pw", arguments);
        Assert.True(code == ExitCode.Done, error);
        return output;
    }

    private async Task<MqttClient> ConnectAsync(string user)
    {
        var client = await ClientAsync(user, user);
        Assert.Equal(ReasonCode.Success, (await client.ConnectAsync()).Reason);
        return client;
    }

    private async Task<MqttClient> ClientAsync(string user, string clientId) => new(new MqttClientOptions
    {
        Server = new IPEndPoint(IPAddress.Loopback, await _node.MqttPortAsync()), ClientId = clientId, UserName = user, Password = "pw",
    });

    private static Process Mosquitto(string which, int port, string user, string password, params string[] arguments) => Process.Start(
        new ProcessStartInfo($"mosquitto_{which}", ["-h", "127.0.0.1", "-p", $"{port}", "-V", "5", "-u", user, "-P", password, .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        })!;

    private static async Task<(int Code, string Output)> EndAsync(Process process)
    {
        using (process)
        {
            var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
            return (process.ExitCode, output.Trim());
        }
    }
}
