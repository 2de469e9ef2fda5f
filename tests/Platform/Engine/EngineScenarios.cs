using System.Formats.Tar;
using System.Text;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Tests.Engine;

/// <summary>What every engine must do, run against each real one.</summary>
public abstract class EngineScenarios(EngineFixture fixture)
{
    private readonly string _name = $"c{Guid.NewGuid():N}";

    private RunningEngine Running => fixture.Engine;

    private DockerEngineUnderTest Engine => new(fixture.Engine);

    [NeedsFact]
    public async Task It_describes_itself()
    {
        var description = await Running.Adapter.DescribeAsync(default);
        Assert.Equal(Running.IsPodman ? "Podman" : "Docker", description.Name);
        Assert.NotEmpty(description.Version);
        Assert.Contains(description.Architecture, (string[])["amd64", "arm64", "arm"]);
        Assert.Equal(Running.StorageDirectory, description.StorageDirectory);
        Assert.Equal(!Running.IsPodman, description.LoadsPartialImages);
    }

    [NeedsFact]
    public async Task An_image_is_listed_and_inspected_under_its_short_name_with_its_layers()
    {
        var image = await Running.Adapter.InspectImageAsync("box:1", default);
        Assert.NotNull(image);
        Assert.StartsWith("sha256:", image.Id, StringComparison.Ordinal);
        Assert.Single(image.LayerDigests);
        Assert.Contains("box:1", image.References);
        var listed = Assert.Single(await Running.Adapter.ListImagesAsync(default), one => one.Id == image.Id);
        Assert.Contains("box:1", listed.References);
        Assert.True(listed.SizeBytes > 100_000);
    }

    [NeedsFact]
    public async Task An_absent_image_is_null_and_removing_it_is_nothing()
    {
        Assert.Null(await Running.Adapter.InspectImageAsync("absent:1", default));
        await Running.Adapter.RemoveImageAsync("absent:1", default);
    }

    [NeedsFact]
    public async Task An_image_gets_a_second_name_and_loses_it()
    {
        var image = await Running.Adapter.InspectImageAsync("box:1", default);
        await Running.Adapter.TagImageAsync(image!.Id, "box:second", default);
        Assert.Equal(image.Id, (await Running.Adapter.InspectImageAsync("box:second", default))?.Id);
        await Running.Adapter.RemoveImageAsync("box:second", default);
        Assert.Null(await Running.Adapter.InspectImageAsync("box:second", default));
        Assert.NotNull(await Running.Adapter.InspectImageAsync("box:1", default));
    }

    [NeedsFact]
    public async Task A_saved_image_loads_into_another_engine_with_the_same_id()
    {
        var other = await fixture.SecondAsync();
        await using (var tar = await Running.Adapter.SaveImageAsync("box:1", default))
            await other.Adapter.LoadImageAsync(tar, default);
        var here = await Running.Adapter.InspectImageAsync("box:1", default);
        var there = await other.Adapter.InspectImageAsync("box:1", default);
        Assert.Equal(here!.Id, there!.Id);
        Assert.Equal(here.LayerDigests, there.LayerDigests);
    }

    [NeedsFact]
    public async Task Loading_what_is_not_an_image_fails_and_names_the_reason()
    {
        using var rubbish = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 100_000)));
        var failure = await Assert.ThrowsAsync<EngineException>(() => Running.Adapter.LoadImageAsync(rubbish, default));
        Assert.NotEqual(EngineFailure.Unreachable, failure.Failure);
        Assert.NotEmpty(failure.Message);
    }

    [NeedsFact]
    public async Task Loading_an_empty_stream_fails()
    {
        using var nothing = new MemoryStream();
        await Assert.ThrowsAsync<EngineException>(() => Running.Adapter.LoadImageAsync(nothing, default));
    }

    [NeedsFact]
    public async Task A_source_that_breaks_while_loading_is_the_callers_error_and_the_engine_goes_on()
    {
        await using var tar = await Running.Adapter.SaveImageAsync("box:1", default);
        await using var breaking = new BreakingStream(tar, bytesUntilBreak: 300_000);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Running.Adapter.LoadImageAsync(breaking, default));
        Assert.Equal(BreakingStream.Message, failure.Message);
        Assert.NotNull(await Running.Adapter.InspectImageAsync("box:1", default));
    }

    [NeedsFact]
    public async Task A_container_lives_from_create_to_remove()
    {
        var id = await Engine.CreateAsync(_name, "sh", "-c", "trap 'exit 7' TERM; while true; do sleep 0.1; done");
        Assert.Equal(ContainerState.Created, (await Running.Adapter.InspectContainerAsync(id, default))!.State);

        await Running.Adapter.StartContainerAsync(id, default);
        await Running.Adapter.StartContainerAsync(id, default);
        var running = await Running.Adapter.InspectContainerAsync(_name, default);
        Assert.Equal((id, _name, "box:1", ContainerState.Running), (running!.Id, running.Name, running.Image, running.State));
        Assert.Null(running.ExitCode);

        await Running.Adapter.StopContainerAsync(id, TimeSpan.FromSeconds(10), default);
        await Running.Adapter.StopContainerAsync(id, TimeSpan.FromSeconds(10), default);
        await Running.Adapter.KillContainerAsync(id, "KILL", default);
        var stopped = Assert.Single(await Running.Adapter.ListContainersAsync($"edge.test={_name}", default));
        Assert.Equal((ContainerState.Exited, 7), (stopped.State, stopped.ExitCode));

        await Running.Adapter.RemoveContainerAsync(id, default);
        await Running.Adapter.RemoveContainerAsync(id, default);
        Assert.Null(await Running.Adapter.InspectContainerAsync(id, default));
        await Running.Adapter.StopContainerAsync(id, TimeSpan.FromSeconds(1), default);
        await Running.Adapter.KillContainerAsync(id, "KILL", default);
    }

    [NeedsFact]
    public async Task Limits_environment_hosts_and_log_bounds_arrive_at_the_engine()
    {
        var definition = Definitions.Of(Running, _name, "box:1", "sh", "-c", "echo $COLOUR; cat /etc/hosts") with
        {
            Environment = new Dictionary<string, string> { ["COLOUR"] = "red=blue" },
            ExtraHosts = ["node:10.1.2.3"],
            MemoryBytesMax = 64 << 20,
            CpuCoresMax = 0.5,
        };
        await Running.Adapter.CreateContainerAsync(definition, default);
        await Engine.RunToEndAsync(_name);
        var lines = await Engine.LogsAsync(_name);
        Assert.Contains(lines, line => line.Text == "red=blue");
        Assert.Contains(lines, line => line.Text.Contains("10.1.2.3", StringComparison.Ordinal));

        var host = (await Running.Raw.GetAsync($"containers/{_name}/json")).GetProperty("HostConfig");
        Assert.Equal(64 << 20, host.GetProperty("Memory").GetInt64());
        Assert.Equal(500_000_000, host.GetProperty("NanoCpus").GetInt64());
        Assert.Equal("no", host.GetProperty("RestartPolicy").GetProperty("Name").GetString());
        if (!Running.IsPodman)
            Assert.Equal("1m", host.GetProperty("LogConfig").GetProperty("Config").GetProperty("max-size").GetString());
    }

    [NeedsFact]
    public async Task A_name_in_use_is_a_conflict_and_an_absent_image_is_not_found()
    {
        await Engine.CreateAsync(_name, "true");
        var taken = await Assert.ThrowsAsync<EngineException>(() => Engine.CreateAsync(_name, "true"));
        Assert.Equal(EngineFailure.Conflict, taken.Failure);
        var absent = await Assert.ThrowsAsync<EngineException>(
            () => Running.Adapter.CreateContainerAsync(Definitions.Of(Running, $"{_name}b", "absent:1"), default));
        Assert.Equal(EngineFailure.NotFound, absent.Failure);
    }

    [NeedsFact]
    public async Task A_command_that_does_not_exist_fails_to_start_with_the_engines_message()
    {
        await Engine.CreateAsync(_name, "no-such-program");
        var failure = await Assert.ThrowsAsync<EngineException>(() => Running.Adapter.StartContainerAsync(_name, default));
        Assert.Contains("no-such-program", failure.Message, StringComparison.Ordinal);
    }

    [NeedsFact]
    public async Task Logs_keep_output_and_error_apart_and_the_tail_is_the_end()
    {
        await Engine.CreateAsync(_name, "sh", "-c", "echo one; echo two; echo bad >&2; echo -n rest");
        await Engine.RunToEndAsync(_name);
        var lines = await Engine.LogsAsync(_name);
        Assert.Equal(["one", "two", "rest"], lines.Where(line => !line.IsError).Select(line => line.Text));
        Assert.Equal(["bad"], lines.Where(line => line.IsError).Select(line => line.Text));
        Assert.Single(await Engine.LogsAsync(_name, tail: 1));
    }

    [NeedsFact]
    public async Task Followed_logs_arrive_while_the_container_runs_and_end_with_it()
    {
        await Engine.CreateAsync(_name, "sh", "-c", "echo ready; read line; exit 0");
        await Engine.RunToEndAsync(_name, wait: false);
        var lines = new List<string>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await foreach (var line in Running.Adapter.ReadLogsAsync(_name, null, follow: true, patience.Token))
            lines.Add(line.Text);
        Assert.Equal(["ready"], lines);
    }

    [NeedsFact]
    public async Task Executing_gives_both_outputs_and_the_exit_code()
    {
        await Engine.StartSleepingAsync(_name);
        var outcome = await Running.Adapter.ExecuteAsync(_name, ["sh", "-c", "echo out; echo err >&2; exit 3"], default);
        Assert.Equal(new ExecOutcome(3, "out\n", "err\n"), outcome);
    }

    [NeedsFact]
    public async Task Output_of_a_command_is_kept_up_to_a_limit()
    {
        await Engine.StartSleepingAsync(_name);
        var outcome = await Running.Adapter.ExecuteAsync(_name, ["head", "-c", "3000000", "/dev/zero"], default);
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(EdgeFirmware.Platform.Engine.DockerEngine.ExecOutputBytesMax, outcome.Output.Length);
    }

    [NeedsFact]
    public async Task Usage_of_a_running_container_is_read_and_of_a_stopped_one_refused()
    {
        await Engine.StartSleepingAsync(_name, memoryBytesMax: 64 << 20);
        var usage = await Running.Adapter.ReadUsageAsync(_name, default);
        Assert.True(usage.CpuNanoseconds > 0);
        Assert.InRange(usage.MemoryBytes, 1, 64 << 20);
        Assert.Equal(64 << 20, usage.MemoryBytesMax);
        await Running.Adapter.KillContainerAsync(_name, "KILL", default);
        await Running.Raw.PostAsync($"containers/{_name}/wait");
        var refused = await Assert.ThrowsAsync<EngineException>(() => Running.Adapter.ReadUsageAsync(_name, default));
        Assert.Equal(EngineFailure.Conflict, refused.Failure);
    }

    [NeedsFact]
    public async Task Files_go_in_and_out_of_a_volume_of_a_stopped_container_with_their_owners()
    {
        var volume = $"v{_name}";
        await Running.Adapter.CreateVolumeAsync(volume, new Dictionary<string, string> { ["edge.test"] = _name }, default);
        var definition = Definitions.Of(Running, _name, "box:1", "stat", "-c", "%u:%g", "/data/deep/file") with
        {
            Volumes = new Dictionary<string, string> { [volume] = "/data" },
        };
        await Running.Adapter.CreateContainerAsync(definition, default);
        await using (var tar = await OneFileTarAsync("deep/file", "content", owner: 1234))
            await Running.Adapter.CopyInAsync(_name, "/data", tar, default);
        await Engine.RunToEndAsync(_name);
        Assert.Equal("1234:1234", Assert.Single(await Engine.LogsAsync(_name)).Text);

        await using var copied = await Running.Adapter.CopyOutAsync(_name, "/data/deep", default);
        await using var reader = new TarReader(copied);
        var content = "";
        while (await reader.GetNextEntryAsync() is { } entry)
            if (entry.DataStream is { } data)
                content += await new StreamReader(data).ReadToEndAsync();
        Assert.Equal("content", content);

        Assert.Equal([volume], await Running.Adapter.ListVolumesAsync($"edge.test={_name}", default));
        await Running.Adapter.RemoveContainerAsync(_name, default);
        Assert.Equal([volume], await Running.Adapter.ListVolumesAsync($"edge.test={_name}", default));
        await Running.Adapter.RemoveVolumeAsync(volume, default);
        await Running.Adapter.RemoveVolumeAsync(volume, default);
        Assert.Empty(await Running.Adapter.ListVolumesAsync($"edge.test={_name}", default));
    }

    [NeedsFact]
    public async Task Copying_from_an_absent_path_is_not_found()
    {
        await Engine.CreateAsync(_name, "true");
        var failure = await Assert.ThrowsAsync<EngineException>(() => Running.Adapter.CopyOutAsync(_name, "/absent", default));
        Assert.Equal(EngineFailure.NotFound, failure.Failure);
    }

    [NeedsFact]
    public async Task Events_tell_start_die_with_the_exit_code_and_destroy()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var id = await Engine.CreateAsync(_name, "sh", "-c", "exit 5");
        var other = await Engine.CreateAsync($"{_name}-probe", "true");
        var seen = new List<EngineEvent>();
        var started = false;
        await using var events = Running.Adapter.WatchAsync(patience.Token).GetAsyncEnumerator(patience.Token);
        var next = events.MoveNextAsync().AsTask();
        while (!seen.Exists(one => one.Action == "destroy" && one.ContainerId == id))
        {
            // Nobody tells when the subscription is active: poke the engine with another container until events flow.
            while (!started && !next.IsCompleted)
                await Engine.RunToEndAsync($"{_name}-probe");
            if (!started)
            {
                started = true;
                await Engine.RunToEndAsync(_name);
                await Running.Adapter.RemoveContainerAsync(id, default);
            }
            Assert.True(await next);
            seen.Add(events.Current);
            next = events.MoveNextAsync().AsTask();
        }
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.Contains(seen, one => one.Action == "start" && one.ContainerId == id);
        var died = Assert.Single(seen, one => one.Action == "die" && one.ContainerId == id);
        Assert.Equal("5", died.Attributes["exitCode"]);
        Assert.Equal(_name, died.Attributes["edge.test"]);
        Assert.NotEqual(id, other);
    }

    [NeedsFact]
    public async Task Pulling_from_a_registry_that_is_not_there_fails_with_its_message()
    {
        var failure = await Assert.ThrowsAsync<EngineException>(
            () => Running.Adapter.PullImageAsync("127.0.0.1:9/box:1", null, default));
        Assert.Contains("127.0.0.1:9", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<Stream> OneFileTarAsync(string path, string content, int owner)
    {
        var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, Path.GetDirectoryName(path)!)
            {
                Mode = (UnixFileMode)0b111_101_101,
            });
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, path)
            {
                Uid = owner,
                Gid = owner,
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)),
            });
        }
        tar.Position = 0;
        return tar;
    }
}

[Collection(DockerCollection.Name)]
[Needs("root", "dockerd", "busybox")]
public sealed class DockerScenarios(DockerFixture fixture) : EngineScenarios(fixture);

[Collection(PodmanCollection.Name)]
[Needs("root", "podman", "runc", "busybox")]
public sealed class PodmanScenarios(PodmanFixture fixture) : EngineScenarios(fixture);
