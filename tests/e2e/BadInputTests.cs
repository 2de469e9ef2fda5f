using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Images;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using EdgeFirmware.Lab.Streams;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>Wrong configuration, wrong key, no engine: a clear word, and as much of the node as can work works.</summary>
public sealed class BadInputTests
{
    [LabFact]
    public async Task A_malformed_configuration_stops_the_start_and_names_the_place()
    {
        var outcome = await StartWithAsync("{ \"Node\": { \"Name\": \"gate-1\" ");
        Assert.NotEqual(0, outcome.ExitCode);
        Assert.Contains("edge-firmware.json", outcome.Error + outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [LabFact]
    public async Task Unknown_and_wrong_keys_stop_the_start_and_all_are_named()
    {
        var outcome = await StartWithAsync(
            """
            { "Node": { "Name": "gate_1!", "Colour": "red" }, "DataDirectory": "/nonexistent-by-design/data",
              "Mqtt": { "Listen": ["0.0.0.0:99999"] }, "Mesh": { "Listen": "127.0.0.1:7900", "SiteKey": "short" }, "Wifi": {} }
            """);
        Assert.NotEqual(0, outcome.ExitCode);
        var said = outcome.Error + outcome.Output;
        foreach (var key in new[] { "Name", "Colour", "Listen", "SiteKey", "Wifi" })
            Assert.Contains(key, said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists("/nonexistent-by-design"));
    }

    [LabFact]
    public async Task A_node_with_another_sites_key_stays_alone_and_says_so()
    {
        await using var site = await Site.BuildAsync(new SiteOptions
        {
            Configure = (node, configuration) =>
            {
                if (node == 3)
                    configuration["Mesh"]!["SiteKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
            },
        });
        foreach (var node in site.Nodes)
            node.Firmware.Start();
        await Site.UntilMeshedAsync([site["gate-1"], site["gate-2"]], TimeSpan.FromSeconds(30));
        var stranger = site["gate-3"];
        await Until.TrueAsync(stranger.IsHealthyAsync, TimeSpan.FromSeconds(20), "gate-3 is up", found: () => stranger.Firmware.LastLog());
        await Until.TrueAsync(
            () => stranger.Firmware.Log().Contains("key", StringComparison.OrdinalIgnoreCase), TimeSpan.FromSeconds(20), "gate-3 says that its key is not the site's",
            found: () => stranger.Firmware.LastLog());
        Assert.DoesNotContain(await stranger.PeersAsync(), peer => peer.Status == "alive");
        Assert.DoesNotContain(await site["gate-1"].PeersAsync(), peer => peer is { Name: "gate-3", Status: "alive" });
    }

    [LabFact]
    public async Task A_command_without_a_running_node_says_what_to_do()
    {
        var directory = Directory.CreateTempSubdirectory("edge-nobody-");
        try
        {
            var outcome = await Command.TryAsync(NodeFirmware.Binary, ["status", "--data", directory.FullName]);
            Assert.NotEqual(0, outcome.ExitCode);
            Assert.NotEmpty(outcome.Error);
            Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [LabFact]
    public async Task A_node_without_an_engine_is_a_broker_and_a_member_at_level_0()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 2)
        {
            Configure = (node, configuration) =>
            {
                if (node == 2)
                    configuration["Engine"] = new JsonObject { ["Socket"] = "/nonexistent-by-design/docker.sock" };
            },
        });
        foreach (var node in site.Nodes)
            node.Firmware.Start();
        var (gate1, gate2) = (site["gate-1"], site["gate-2"]);
        await Until.TrueAsync(gate2.IsHealthyAsync, TimeSpan.FromSeconds(20), "gate-2 is up", found: () => gate2.Firmware.LastLog());
        await Until.TrueAsync(
            async () => await gate1.IsHealthyAsync() && (await gate1.PeersAsync()).Any(peer => peer is { Name: "gate-2", Status: "alive", Level: 0 }),
            TimeSpan.FromSeconds(20), "gate-1 sees gate-2 alive at level 0");
        var echo = await Command.TryAsync(
            "nsenter", ["--net=" + site.Field.File, "mosquitto_pub", "-h", gate2.Address.ToString(), "-q", "1", "-t", "a", "-m", "b"]);
        Assert.Equal(0, echo.ExitCode);
        var refused = await gate2.Firmware.CommandAsync(CancellationToken.None, "deploy", await gate2.WriteSpecAsync(WorkloadPlan.Convolution().Spec()));
        Assert.NotEqual(0, refused.ExitCode);
        // Its peer is busy, or lacks the image; either way the first reason is its own.
        Assert.True(refused.Error.Contains("gate-2: level 0", StringComparison.Ordinal), $"does not say that there is no engine here: {refused.Error}");
    }

    [LabFact]
    public async Task A_lone_node_with_a_full_data_directory_refuses_a_deployment_in_clear_words_and_stays_a_broker()
    {
        await using var site = await Site.BuildAsync(new SiteOptions(Nodes: 1));
        var node = site.Nodes[0];
        Directory.CreateDirectory(node.DataDirectory);
        await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", site.RunId, node.DataDirectory);
        await SampleImages.BuildSampleAsync();
        await node.Engine.LoadAsync(await SampleImages.ConvolutionAsync(site.Directory));
        node.Firmware.Start();
        await Until.TrueAsync(node.IsHealthyAsync, TimeSpan.FromSeconds(20), "the node is up", found: () => node.Firmware.LastLog());
        await Command.TryAsync("dd", ["if=/dev/zero", $"of={Path.Combine(node.DataDirectory, "filler")}", "bs=64k"]);
        var refused = await node.Firmware.CommandAsync(CancellationToken.None, "deploy", await node.WriteSpecAsync(WorkloadPlan.Convolution().Spec()));
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Matches("(?i)disk|space|storage", refused.Error);
        Assert.Empty(await node.WorkloadsAsync());
        await Until.TrueAsync(
            async () => (await node.Engine.WorkloadContainersAsync()).Count == 0 && (await node.Engine.VolumesAsync()).Count == 0,
            TimeSpan.FromSeconds(10), "nothing is left of the refused deployment");
        var echo = await Command.TryAsync(
            "nsenter", ["--net=" + site.Field.File, "mosquitto_pub", "-h", node.Address.ToString(), "-q", "1", "-t", "a", "-m", "b"]);
        Assert.Equal(0, echo.ExitCode);
    }

    /// <summary>In a network namespace of its own, so that a start that is wrongly accepted opens nothing on the machine.</summary>
    private static async Task<CommandOutcome> StartWithAsync(string configuration)
    {
        var directory = Directory.CreateTempSubdirectory("edge-config-");
        try
        {
            var file = Path.Combine(directory.FullName, "edge-firmware.json");
            await File.WriteAllTextAsync(file, configuration);
            return await Command.TryAsync("timeout", ["10", "unshare", "--net", NodeFirmware.Binary, "run", "--config", file]);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
