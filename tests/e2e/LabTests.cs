using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>Can the lab be believed? Debian's broker stands in for the firmware, so that what the lab reports is known beforehand.</summary>
public sealed class LabTests
{
    [LabFact]
    public async Task A_stream_without_faults_has_clean_books_and_the_lab_leaves_nothing_behind()
    {
        string runId;
        await using (var site = await Site.BuildAsync(new SiteOptions(Nodes: 1)))
        {
            runId = site.RunId;
            var node = await WithBrokerAndImageAsync(site);
            await RunWorkerAsync(node, "worker");
            await using var stream = await SensorStream.StartAsync(site, node, WorkloadPlan.Convolution());
            await stream.FlowsAsync(60, TimeSpan.FromSeconds(20), "results flow");
            var account = await stream.FinishAsync(TimeSpan.FromSeconds(10));
            Assert.True(account.IsClean, account.ToString());
            Assert.Equal(account.Sent, account.In);
            Assert.Equal(account.In, account.Out);
            Assert.Empty(stream.Ledger.Faults);
            Assert.Equal(1, stream.Copies.MostAlive());
            Assert.Equal(account.Out, stream.Ledger.LastResult!.Processed);
        }
        Assert.Equal("", await LabRun.LeftOverAsync(runId));
    }

    [LabFact]
    public async Task Killed_copies_twins_and_gaps_are_seen()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 1));
        var node = await WithBrokerAndImageAsync(site);
        await RunWorkerAsync(node, "worker");
        await using var stream = await SensorStream.StartAsync(site, node, WorkloadPlan.Convolution());
        await stream.FlowsAsync(20, TimeSpan.FromSeconds(20), "results flow");

        await node.Engine.RemoveContainerAsync("worker");
        await Until.TrueAsync(() => stream.Copies.Last()!.Live.Count == 0, TimeSpan.FromSeconds(2), "the sampler sees no copy");
        var acknowledged = stream.Ledger.AcknowledgedCount;
        await Until.TrueAsync(() => stream.Ledger.AcknowledgedCount > acknowledged + 10, TimeSpan.FromSeconds(5), "the broker keeps messages");
        Assert.NotEmpty(stream.Ledger.MissingNumbers());

        await RunWorkerAsync(node, "worker");
        await stream.FlowsAsync(20, TimeSpan.FromSeconds(10), "results flow again");
        // A twin with a session of its own does everything a second time.
        await RunWorkerAsync(node, "twin");
        await Until.TrueAsync(() => stream.Copies.Last()!.Live.Count == 2, TimeSpan.FromSeconds(5), "the sampler sees two copies");
        await stream.FlowsAsync(40, TimeSpan.FromSeconds(10), "results flow twice");
        var account = await stream.FinishAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, account.Lost);
        Assert.True(account.Duplicated > 5, account.ToString());
        Assert.True(account.LongestGap > TimeSpan.FromMilliseconds(400), account.ToString());
        Assert.Equal(2, stream.Copies.MostAlive());
    }

    [LabFact]
    public async Task A_power_cut_ends_every_process_of_a_node_and_only_of_that_node()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 2));
        var node = await WithBrokerAndImageAsync(site);
        await RunWorkerAsync(node, "worker");
        await Until.TrueAsync(() => node.Cgroup.Processes().Count >= 2, TimeSpan.FromSeconds(5), "broker and worker run");
        await node.CutPowerAsync();
        Assert.Empty(node.Cgroup.Processes());
        Assert.Empty(node.Daemons.Processes());
        Assert.False(await node.Engine.AnswersAsync());
        Assert.True(await site["gate-2"].Engine.AnswersAsync());

        // And the engine comes back on what is left on its disk.
        await node.RestoreLinkAsync();
        await node.Engine.StartAsync();
        Assert.True(await node.Engine.HasImageAsync("convolution:1"));
    }

    [LabFact]
    public async Task A_hog_takes_the_whole_quota_of_its_node()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 1, NodeCores: 0.4));
        var node = site.Nodes[0];
        node.Overload();
        await Until.TrueAsync(() => node.Cgroup.CpuTime() > TimeSpan.Zero, TimeSpan.FromSeconds(5), "the hog runs");
        var (used, start) = (node.Cgroup.CpuTime(), TimeProvider.System.GetTimestamp());
        await Until.TrueAsync(() => node.Cgroup.CpuTime() - used > TimeSpan.FromSeconds(0.8), TimeSpan.FromSeconds(10), "it uses CPU");
        Assert.InRange((node.Cgroup.CpuTime() - used) / TimeProvider.System.GetElapsedTime(start), 0.2, 0.5);
        await node.RelieveAsync();
        Assert.Empty(node.Cgroup.Processes());
    }

    [LabFact]
    public async Task An_engine_behind_the_proxy_refuses_what_it_is_told_to_and_nothing_else()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 1));
        var node = site.Nodes[0];
        await SampleImages.BuildSampleAsync();
        await using var proxy = new EngineProxy(Path.Combine(node.Directory, "proxy.sock"), node.Engine.Socket);
        proxy.Refuse(line => line.Contains("/containers/create", StringComparison.Ordinal));
        var archive = await SampleImages.ConvolutionAsync(site.Directory);
        await CurlAsync(proxy, "-X", "POST", "-T", archive, "http://engine/v1.41/images/load");
        Assert.True(await node.Engine.HasImageAsync("convolution:1"));
        var created = await Command.TryAsync("curl", ["-sS", "-f", "--unix-socket", proxy.Socket, "-X", "POST", "-d", "{}", "http://engine/v1.41/containers/create?name=x"]);
        Assert.Contains("500", created.Error, StringComparison.Ordinal);
        Assert.Equal(1, proxy.Refused);
        Assert.Equal("OK", await CurlAsync(proxy, "http://engine/_ping"));
    }

    [LabFact]
    public async Task A_shaped_link_is_slow_and_a_cut_one_is_dead()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 2));
        var (from, to) = (site.Nodes[0], site.Nodes[1]);
        await from.ShapeAsync(kilobitsPerSecond: 8_000);
        await site.Field.RunAsync("busybox ping -c 1 -W 2 " + from.Address);
        await from.CutLinkAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => site.Field.RunAsync("busybox ping -c 1 -W 1 " + from.Address));
        await from.RestoreLinkAsync();
        await site.Field.RunAsync("busybox ping -c 1 -W 2 " + from.Address);
        await to.DropPacketsAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => site.Field.RunAsync("busybox ping -c 1 -W 1 " + to.Address));
        await to.PassPacketsAsync();
        await site.Field.RunAsync("busybox ping -c 1 -W 2 " + to.Address);
        await from.UnshapeAsync();
    }

    private static Task<string> CurlAsync(EngineProxy proxy, params string[] arguments) =>
        Command.RunAsync("curl", ["-sS", "-f", "--unix-socket", proxy.Socket, .. arguments]);

    /// <summary>Debian's broker where the firmware would be.</summary>
    private static async Task<Node> WithBrokerAndImageAsync(Site site)
    {
        var node = site.Nodes[0];
        await SampleImages.BuildSampleAsync();
        await node.Engine.LoadAsync(await SampleImages.ConvolutionAsync(site.Directory));
        var configuration = Path.Combine(node.Directory, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, "listener 1883 0.0.0.0\nallow_anonymous true\nmax_queued_messages 0\n");
        Child.Start(node.Cgroup.Child("firmware"), node.Network, ["mosquitto", "-c", configuration], logFile: Path.Combine(node.Directory, "mosquitto.log"));
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    await using var connection = await node.Network.ConnectAsync(new(node.Address, 1883), CancellationToken.None);
                    return true;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return false;
                }
            },
            TimeSpan.FromSeconds(5),
            "the broker listens");
        return node;
    }

    private static Task RunWorkerAsync(Node node, string name) => node.Engine.RunContainerAsync(
        name,
        "convolution:1",
        new Dictionary<string, string>
        {
            ["EDGE_MQTT_HOST"] = "node",
            ["EDGE_MQTT_PORT"] = "1883",
            ["EDGE_MQTT_CLIENT_ID"] = name,
            ["EDGE_INPUTS"] = "sensors/matrix",
            ["EDGE_OUTPUTS"] = "results/matrix",
        },
        "demo-conv");
}
