using System.Net;
using System.Text.Json.Nodes;
using EdgeFirmware.Firmware.Cli;
using EdgeFirmware.Firmware.Tests.Support;

namespace EdgeFirmware.Firmware.Tests.Cli;

public sealed class PlacementCommandsTests
{
    [Fact]
    public async Task A_drained_node_stays_drained_over_a_restart_until_it_is_undrained()
    {
        var directory = Directory.CreateTempSubdirectory("edge-drain-").FullName;
        var data = Path.Combine(directory, "data");
        var kept = Path.Combine(directory, "kept");
        Directory.CreateDirectory(data);
        await using (var node = await NodeUnderTest.StartAsync(directory: data))
        {
            Assert.Contains("not draining", (await node.CommandAsync("drain", "--status")).Output, StringComparison.Ordinal);
            var (code, output, _) = await node.CommandAsync("drain", "--follow");
            Assert.Equal((ExitCode.Done, "draining: 0 moved, 0 left"), (code, output.TrimEnd()));
            var (refused, _, error) = await node.CommandAsync("deploy", "--user", "demo", "--name", "x", "--image", "i:1");
            Assert.Equal(ExitCode.Refused, refused);
            Assert.Contains("drained", error, StringComparison.Ordinal);
            Directory.CreateDirectory(Path.Combine(kept, "workloads"));
            File.Copy(Path.Combine(data, "workloads", "draining"), Path.Combine(kept, "workloads", "draining"));
        }
        await using (var node = await NodeUnderTest.StartAsync(directory: kept))
        {
            await node.UntilAsync(async () => JsonNode.Parse((await node.CommandAsync("drain", "--status", "--json")).Output)!["draining"]!.GetValue<bool>());
            Assert.Contains("it takes work", (await node.CommandAsync("undrain")).Output, StringComparison.Ordinal);
            Assert.False(File.Exists(Path.Combine(kept, "workloads", "draining")));
        }
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task The_API_drains_and_explains()
    {
        await using var node = await NodeUnderTest.StartAsync(api: IPAddress.Loopback);
        using var http = new HttpClient { BaseAddress = node.Api };
        var drain = new Uri("/api/v1/node/drain", UriKind.Relative);
        using var began = await http.PostAsync(drain, null);
        Assert.True(JsonNode.Parse(await began.Content.ReadAsStringAsync())!["draining"]!.GetValue<bool>());
        using var ended = await http.DeleteAsync(drain);
        Assert.False(JsonNode.Parse(await ended.Content.ReadAsStringAsync())!["draining"]!.GetValue<bool>());
        using var why = await http.GetAsync(new Uri("/api/v1/workloads/nobody/why", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, why.StatusCode);
        Assert.Contains("there is no workload 'nobody'", (await node.CommandAsync("why", "nobody")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_s_quota_refuses_a_deployment_with_the_numbers()
    {
        await using var node = await NodeUnderTest.StartAsync();
        Assert.Equal(ExitCode.Done, (await node.CommandAsync("tenants", "add", "acme", "--quota", "cpuCores=2", "--quota", "connectionsMax=9")).Code);
        Assert.Equal(ExitCode.Done, (await node.CommandAsync("users", "add", "ana", "--tenant", "acme", "--generate")).Code);
        var (code, _, error) = await node.CommandAsync("deploy", "--user", "ana", "--name", "x", "--image", "i:1", "--cpus", "3");
        Assert.Equal(ExitCode.Refused, code);
        Assert.Contains("tenant 'acme' may use 2 cores; with this one it would be 3", error, StringComparison.Ordinal);
        Assert.Contains("\"cpuCores\":2", (await node.CommandAsync("tenants", "show", "acme")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await node.CommandAsync("tenants", "change", "acme", "--quota", "cpuCores=-1")).Code);
    }

    [Theory]
    [InlineData("--require", "UPPER")]
    [InlineData("--prefer", "a label")]
    public async Task A_label_that_is_none_is_wrong_usage(string option, string label)
    {
        await using var node = await NodeUnderTest.StartAsync();
        var (code, _, error) = await node.CommandAsync("deploy", "--user", "ana", "--name", "x", "--image", "i:1", option, label);
        Assert.Equal(ExitCode.Usage, code);
        Assert.Contains("labels of 1-24", error, StringComparison.Ordinal);
    }
}
