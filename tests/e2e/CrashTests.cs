using EdgeFirmware.Lab.Demo;
using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;
using Xunit;

namespace EdgeFirmware.EndToEnd;

/// <summary>Power cuts, crashes and stopped engines. Every test leaves a whole site to the next one.</summary>
public sealed class CrashTests(SiteFixture fixture) : IClassFixture<SiteFixture>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Site _site = fixture.Site;

    [LabFact]
    public async Task When_the_host_loses_power_results_resume_within_5_s_of_its_detection_and_nothing_acknowledged_is_lost()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "powercut");
        await workload.MoveAsync("gate-2");
        var mark = _site.Events.Count;
        await fixture.Gate2.CutPowerAsync();
        var dead = await _site.Events.UntilAsync(mark, happened => Scenario.IsDeath(happened, "gate-2"), Patience, "gate-2 is found dead");
        await workload.Stream.FlowsAsync(1, Patience, "results flow again");
        Assert.InRange(TimeProvider.System.GetElapsedTime(dead.Heard).TotalSeconds, 0, 5);
        await workload.CaughtUpAsync();

        // The old host comes back with the old container on its disk: it must not wake it.
        await fixture.Gate2.StartAsync();
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await Until.TrueAsync(
            async () => (await fixture.Gate2.Engine.WorkloadContainersAsync()).Count == 0, TimeSpan.FromSeconds(20), "gate-2 removes its old copy");
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, account.Lost);
        Assert.Equal(0, account.Wrong);
        Assert.Equal(account.Sent, account.In);
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, "a twin lived");
    }

    [LabFact]
    public async Task A_firmware_that_is_killed_and_restarted_takes_its_workload_up_again_without_a_twin()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "restart");
        await workload.MoveAsync("gate-2");
        await fixture.Gate2.Firmware.KillAsync();
        // As systemd does it.
        fixture.Gate2.Firmware.Start();
        await workload.CaughtUpAsync();
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await workload.Stream.FlowsAsync(60, Patience, "results flow on");
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, account.Lost);
        Assert.Equal(0, account.Wrong);
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, $"{workload.Stream.Copies.MostAlive()} copies lived at the same time");
        Assert.Single(workload.Stream.Copies.Last()!.Live);
    }

    [LabFact]
    public async Task A_sensors_node_that_is_killed_and_restarted_serves_its_sensor_and_its_readers_again()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "broker");
        await workload.MoveAsync("gate-2");
        await fixture.Gate1.Firmware.KillAsync();
        fixture.Gate1.Firmware.Start();
        await workload.CaughtUpAsync();
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(account.Sent, account.In);
        Assert.Equal(0, account.Lost);
        Assert.Equal(0, account.Wrong);
        Assert.True(workload.Stream.Copies.MostAlive() <= 1, $"{workload.Stream.Copies.MostAlive()} copies lived at the same time");
    }

    [LabFact]
    public async Task A_firmware_that_comes_back_after_its_workload_was_restored_elsewhere_gives_its_copy_up()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "stale");
        await workload.MoveAsync("gate-2");
        await fixture.Gate2.Firmware.KillAsync();
        await Until.TrueAsync(async () => (await workload.HostAsync()).Name != "gate-2", Patience, "another node takes over");
        await workload.CaughtUpAsync();
        fixture.Gate2.Firmware.Start();
        await Until.TrueAsync(
            async () => (await fixture.Gate2.Engine.WorkloadContainersAsync()).Count == 0, Patience, "gate-2 removes its old copy");
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        await workload.CaughtUpAsync();
        Assert.Single(workload.Stream.Copies.Last()!.Live);
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, account.Lost);
        Assert.Equal(0, account.Wrong);
    }

    [LabFact]
    public async Task A_peer_whose_engine_is_stopped_advertises_level_0_and_is_not_chosen()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "levelzero");
        await fixture.Gate2.Engine.StopAsync();
        try
        {
            await Until.TrueAsync(
                async () => (await fixture.Gate1.PeersAsync()).Single(peer => peer.Name == "gate-2") is { Level: 0, Status: "alive" },
                TimeSpan.FromSeconds(20), "gate-1 sees gate-2 alive at level 0");
            var refused = await fixture.Gate1.Firmware.CommandAsync(CancellationToken.None, "migrate", workload.Id, "--to", "gate-2");
            Assert.NotEqual(0, refused.ExitCode);
            Assert.Contains("gate-2", refused.Error, StringComparison.Ordinal);
            Assert.Equal("gate-3", (await workload.MoveAsync()).To);
            Assert.Equal("gate-1", (await workload.MoveAsync()).To);
        }
        finally
        {
            await fixture.Gate2.Engine.StartAsync();
        }
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.True(account.IsClean, account.ToString());
    }

    [LabFact]
    public async Task After_a_partition_heals_one_copy_is_left_and_nothing_acknowledged_is_lost()
    {
        await using var workload = await StreamedWorkload.DeployAsync(_site, "partition");
        await workload.MoveAsync("gate-2");
        await fixture.Gate2.DropPacketsAsync();
        try
        {
            await Until.TrueAsync(async () => (await workload.HostAsync()).Name != "gate-2", Patience, "another node takes over");
            await workload.CaughtUpAsync();
        }
        finally
        {
            await fixture.Gate2.PassPacketsAsync();
        }
        await Site.UntilMeshedAsync(_site.Nodes, Patience);
        // Which of the two keeps it is theirs to say; that they agree, and that nobody else runs it, is not.
        await Until.TrueAsync(
            async () =>
            {
                var owners = new HashSet<string?>();
                foreach (var node in _site.Nodes)
                    owners.Add((await node.WorkloadAsync(workload.Id))?.Node);
                return owners.Count == 1 && workload.Stream.Copies.Last()!.Live is [var only] && only.StartsWith(owners.Single() + "/", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(20),
            "all agree on one owner, and only it runs a copy",
            found: () => string.Join(", ", workload.Stream.Copies.Last()!.Live));
        await workload.CaughtUpAsync();
        var account = await workload.Stream.FinishAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, account.Lost);
        Assert.Equal(0, account.Wrong);
        Assert.Single(workload.Stream.Copies.Last()!.Live);
    }
}
