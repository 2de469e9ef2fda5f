using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Tests.Support;

namespace EdgeFirmware.Firmware.Tests.Site;

/// <summary>Whole nodes with certificates, in this process, over real TLS on loopback.</summary>
public sealed class SiteOfNodesTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("edge-site-").FullName;
    private readonly List<NodeUnderTest> _nodes = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Nodes_joined_by_token_see_each_other_and_one_of_another_site_stays_out()
    {
        var first = await FirstAsync("orchard");
        var second = await JoinedAsync(first, "barn");
        await first.UntilAsync(() => SeesAsync(first, "barn"));
        await second.UntilAsync(() => SeesAsync(second, "gate-1"));
        var stranger = await FirstAsync("elsewhere", "thief", seed: first);
        await stranger.UntilAsync(async () => (await StatusAsync(first))["mesh"]!["datagramsForged"]!.GetValue<long>() > 0);
        Assert.False(await SeesAsync(first, "thief"));
        Assert.False(await SeesAsync(stranger, "gate-1"));
        var status = await StatusAsync(second);
        Assert.Equal(("certificates", "orchard"), (status["mesh"]!["profile"]!.GetValue<string>(), status["mesh"]!["site"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_token_works_once_and_only_at_its_own_site()
    {
        var first = await FirstAsync("orchard");
        var other = await FirstAsync("elsewhere", "other");
        var token = await TokenAsync(first);
        var data = Path.Combine(_directory, "a");
        var wrong = await NodeUnderTest.RunAsync("site", "join", token, "--peer", other.Configuration.Mesh!.Listen.ToString(), "--data", data, "--name", "a");
        Assert.Equal(ExitCode.Refused, wrong.Code);
        Assert.Equal(0, (await JoinAsync(first, token, "a")).Code);
        var (code, _, error) = await JoinAsync(first, token, "b");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("is the token still good", error, StringComparison.Ordinal); // with no token left a stranger is refused in the handshake
        Assert.Equal(ExitCode.Usage, (await JoinAsync(first, "edge1-nonsense", "c")).Code);
        (_, _, error) = await NodeUnderTest.RunAsync("site", "join", await TokenAsync(first), "--peer", $"127.0.0.1:{NodeUnderTest.FreePort()}", "--data", Path.Combine(_directory, "d"), "--name", "d");
        Assert.DoesNotContain("token", error, StringComparison.Ordinal); // nobody was there to judge it
    }

    [Fact]
    public async Task A_revoked_node_is_shut_out_and_the_others_stay_together()
    {
        var first = await FirstAsync("orchard");
        var second = await JoinedAsync(first, "barn");
        var third = await JoinedAsync(first, "shed");
        await first.UntilAsync(async () => await SeesAsync(first, "barn") && await SeesAsync(first, "shed") && await SeesAsync(second, "shed"));
        var (code, _, error) = await first.CommandAsync("site", "revoke", "shed");
        Assert.True(code == 0, error);
        await first.UntilAsync(async () => !await SeesAsync(first, "shed") && !await SeesAsync(second, "shed"));
        Assert.True(await SeesAsync(first, "barn") && await SeesAsync(second, "gate-1"));
        var shown = JsonNode.Parse((await second.CommandAsync("site", "show", "--json")).Output)!;
        Assert.Equal("shed", shown["revoked"]![0]!["id"]!.GetValue<string>().Split('/')[0]);
        Assert.Equal(0, (await third.CommandAsync("status")).Code); // it serves its own clients on
    }

    [Fact]
    public async Task A_node_whose_clock_says_1970_is_a_member_like_any_other()
    {
        var first = await FirstAsync("orchard");
        var data = Path.Combine(_directory, "barn");
        Assert.Equal(0, (await JoinAsync(first, await TokenAsync(first), "barn")).Code);
        var second = await StartAsync("barn", data, Path.Combine(data, "site"), first, new ClockAt1970());
        await first.UntilAsync(() => SeesAsync(first, "barn"));
        await second.UntilAsync(() => SeesAsync(second, "gate-1"));
        Assert.Null(JsonNode.Parse((await second.CommandAsync("site", "show", "--json")).Output)!["time"]);
    }

    [Fact]
    public async Task A_node_prepared_at_a_desk_needs_no_token()
    {
        var authority = Path.Combine(_directory, "authority");
        Assert.Equal(0, (await NodeUnderTest.RunAsync("site", "create", "--dir", authority, "--name", "orchard")).Code);
        foreach (var name in new[] { "gate-1", "barn" })
            Assert.Equal(0, (await NodeUnderTest.RunAsync("site", "issue", "--dir", authority, "--node", name, "--data", Path.Combine(_directory, name))).Code);
        var first = await StartAsync("gate-1", Path.Combine(_directory, "gate-1"), Path.Combine(_directory, "gate-1", "site"), null);
        var second = await StartAsync("barn", Path.Combine(_directory, "barn"), Path.Combine(_directory, "barn", "site"), first);
        await first.UntilAsync(() => SeesAsync(first, "barn"));
        Assert.Equal(0, (await NodeUnderTest.RunAsync("site", "rotate-key", "--dir", authority)).Code);
        var (code, _, error) = await NodeUnderTest.RunAsync("site", "publish", "--dir", authority, "--peer", first.Configuration.Mesh!.Listen.ToString());
        Assert.True(code == 0, error);
        await second.UntilAsync(() => Task.FromResult(File.ReadAllBytes(Path.Combine(_directory, "barn", "site", "gossip-keys")).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(authority, "gossip-keys")))));
        Assert.True(await SeesAsync(first, "barn") && await SeesAsync(second, "gate-1"));
    }

    [Fact]
    public async Task A_key_that_others_may_read_stops_the_start_with_the_name_of_the_file()
    {
        var authority = Path.Combine(_directory, "authority");
        await NodeUnderTest.RunAsync("site", "create", "--dir", authority, "--name", "orchard");
        var key = Path.Combine(authority, "authority.key");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var (code, _, error) = await NodeUnderTest.RunAsync("site", "token", "--dir", authority);
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("authority.key: mode 640", error, StringComparison.Ordinal);
    }

    private async Task<NodeUnderTest> FirstAsync(string site, string name = "gate-1", NodeUnderTest? seed = null)
    {
        var home = Path.Combine(_directory, site);
        var (code, _, error) = await NodeUnderTest.RunAsync("site", "create", "--dir", home, "--name", site);
        Assert.True(code == 0, error);
        return await StartAsync(name, Path.Combine(_directory, $"{site}-{name}"), home, seed);
    }

    private async Task<NodeUnderTest> JoinedAsync(NodeUnderTest first, string name)
    {
        var (code, _, error) = await JoinAsync(first, await TokenAsync(first), name);
        Assert.True(code == 0, error);
        var data = Path.Combine(_directory, name);
        return await StartAsync(name, data, Path.Combine(data, "site"), first);
    }

    private Task<(int Code, string Output, string Error)> JoinAsync(NodeUnderTest first, string token, string name) =>
        NodeUnderTest.RunAsync("site", "join", token, "--peer", first.Configuration.Mesh!.Listen.ToString(), "--data", Path.Combine(_directory, name), "--name", name);

    private static async Task<string> TokenAsync(NodeUnderTest node) => (await node.CommandAsync("site", "token")).Output.Trim();

    private async Task<NodeUnderTest> StartAsync(string name, string data, string site, NodeUnderTest? seed, TimeProvider? time = null)
    {
        Directory.CreateDirectory(data);
        var node = await NodeUnderTest.StartAsync(NodeUnderTest.Configure(data, mesh: IPAddress.Loopback) with { Name = name }, site, seed, time);
        _nodes.Add(node);
        return node;
    }

    private static async Task<JsonNode> StatusAsync(NodeUnderTest node) => JsonNode.Parse((await node.CommandAsync("status", "--json")).Output)!;

    private static async Task<bool> SeesAsync(NodeUnderTest node, string name) =>
        JsonNode.Parse((await node.CommandAsync("peers", "--json")).Output)!.AsArray().Any(peer => peer!["name"]!.GetValue<string>() == name && peer["status"]!.GetValue<string>() == "alive");

    /// <summary>A board without a battery; its monotonic clock runs as ever.</summary>
    private sealed class ClockAt1970 : TimeProvider
    {
        private readonly long _started = System.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + System.GetElapsedTime(_started);
    }
}
