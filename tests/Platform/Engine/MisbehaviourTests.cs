using System.Text;
using EdgeFirmware.Contracts.Engine;
using EdgeFirmware.Platform.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeFirmware.Platform.Tests.Engine;

public sealed class MisbehaviourTests
{
    private const string Streaming = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    private readonly ManualTime _time = new();

    [Fact]
    public async Task Without_a_socket_the_message_names_it_and_says_what_to_do()
    {
        using var engine = Adapter("/tmp/edge-absent/docker.sock");
        var failure = await FailureOf(engine.DescribeAsync(default), EngineFailure.Unreachable);
        Assert.Contains("/tmp/edge-absent/docker.sock", failure.Message, StringComparison.Ordinal);
        Assert.Contains("install", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_that_nobody_listens_on_says_to_start_the_engine()
    {
        var double_ = MisbehavingEngine.Saying("");
        // Disposing deletes the file: put a dead socket in its place.
        await double_.DisposeAsync();
        using var dead = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        dead.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(double_.Socket));
        using var engine = Adapter(double_.Socket);
        var failure = await FailureOf(engine.DescribeAsync(default), EngineFailure.Unreachable);
        Assert.Contains("start the engine", failure.Message, StringComparison.Ordinal);
        dead.Dispose();
        File.Delete(double_.Socket);
    }

    [Fact]
    public async Task An_engine_that_stalls_is_unreachable_after_the_deadline()
    {
        await using var stalling = new MisbehavingEngine((_, cancel) => Task.Delay(Timeout.Infinite, cancel));
        using var engine = Adapter(stalling.Socket);
        var listing = engine.ListImagesAsync(default);
        await stalling.Asked;
        Assert.False(listing.IsCompleted);
        _time.Advance(EngineDeadlines.Inspect);
        var failure = await FailureOf(listing, EngineFailure.Unreachable);
        Assert.Contains("within 10 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_stalls_in_the_middle_of_an_answer_is_unreachable_after_the_deadline()
    {
        var sent = new TaskCompletionSource();
        await using var stalling = new MisbehavingEngine(async (stream, cancel) =>
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(MisbehavingEngine.Ok("[", length: 100)), cancel);
            sent.SetResult();
            await Task.Delay(Timeout.Infinite, cancel);
        });
        using var engine = Adapter(stalling.Socket);
        var listing = engine.ListImagesAsync(default);
        await sent.Task;
        _time.Advance(EngineDeadlines.Inspect);
        await FailureOf(listing, EngineFailure.Unreachable);
    }

    [Fact]
    public async Task The_callers_own_cancellation_stays_a_cancellation()
    {
        await using var stalling = new MisbehavingEngine((_, cancel) => Task.Delay(Timeout.Infinite, cancel));
        using var engine = Adapter(stalling.Socket);
        using var cancel = new CancellationTokenSource();
        var listing = engine.ListImagesAsync(cancel.Token);
        await stalling.Asked;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Le")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"Id\":")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"I")]
    public async Task An_answer_that_is_cut_off_is_unreachable(string answer)
    {
        await using var truncating = MisbehavingEngine.Saying(answer);
        using var engine = Adapter(truncating.Socket);
        await FailureOf(engine.ListImagesAsync(default), EngineFailure.Unreachable);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n<html></html")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n[")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")]
    public async Task Something_else_than_an_engine_is_named_as_such(string answer)
    {
        await using var garbage = MisbehavingEngine.Saying(answer);
        using var engine = Adapter(garbage.Socket);
        var failure = await FailureOf(engine.ListImagesAsync(default), EngineFailure.Failed);
        Assert.Contains("does not speak the Docker Engine API", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endless_answer_is_not_read_to_its_end()
    {
        await using var endless = new MisbehavingEngine(async (stream, cancel) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Streaming), cancel);
            var chunk = Encoding.ASCII.GetBytes($"10000\r\n{new string(' ', 0x10000)}\r\n");
            while (true)
                await stream.WriteAsync(chunk, cancel);
        });
        using var engine = Adapter(endless.Socket);
        await FailureOf(engine.ListImagesAsync(default), EngineFailure.Failed);
    }

    [Theory]
    [InlineData(500, """{"message":"write /var/lib/docker/tmp/x: no space left on device"}""", EngineFailure.DiskFull)]
    [InlineData(500, """{"message":"boom"}""", EngineFailure.Failed)]
    [InlineData(500, "plain text", EngineFailure.Failed)]
    [InlineData(500, "", EngineFailure.Failed)]
    [InlineData(400, """{"message":"bad parameter"}""", EngineFailure.Rejected)]
    [InlineData(404, """{"message":"No such image"}""", EngineFailure.NotFound)]
    [InlineData(409, """{"message":"in use"}""", EngineFailure.Conflict)]
    [InlineData(500, """{"cause":"x","message":"container state improper","response":500}""", EngineFailure.Conflict)]
    [InlineData(301, "", EngineFailure.Failed)]
    public async Task A_refusal_is_classified_and_its_message_is_kept(int status, string body, EngineFailure expected)
    {
        await using var refusing = MisbehavingEngine.Saying($"HTTP/1.1 {status} X\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        using var engine = Adapter(refusing.Socket);
        var failure = await FailureOf(engine.TagImageAsync("box", "box:2", default), expected);
        Assert.NotEmpty(failure.Message);
        Assert.DoesNotContain("{", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_reported_inside_a_pull_is_noticed_after_the_progress()
    {
        await using var full = MisbehavingEngine.Saying($"{Streaming}{Chunk(
            """{"status":"Pulling fs layer","id":"a1"}""" + "\r\n" +
            """{"status":"Downloading","id":"a1","progressDetail":{"current":1}}""" + "\r\n" +
            """{"status":"Downloading","id":"a1","progressDetail":{"current":2}}""" + "\r\n" +
            """{"errorDetail":{"message":"write x: no space left on device"},"error":"write x: no space left on device"}""")}0\r\n\r\n");
        using var engine = Adapter(full.Socket);
        var progress = new Collected();
        await FailureOf(engine.PullImageAsync("box:1", progress, default), EngineFailure.DiskFull);
        Assert.Equal(["a1: Pulling fs layer", "a1: Downloading"], progress.Lines);
        Assert.Contains(full.Requests, request => request.Contains("fromImage=box&tag=1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_reason_for_refusing_an_upload_half_way_is_not_lost()
    {
        await using var refusing = new MisbehavingEngine(async (stream, cancel) =>
        {
            const string body = """{"message":"write x: no space left on device"}""";
            await stream.ReadExactlyAsync(new byte[1000], cancel);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"HTTP/1.1 500 X\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"), cancel);
        });
        using var engine = Adapter(refusing.Socket);
        using var tar = new MemoryStream(new byte[20 << 20]);
        await FailureOf(engine.LoadImageAsync(tar, default), EngineFailure.DiskFull);
        Assert.True(tar.Position < tar.Length, "the rest of the upload was read for nothing");
    }

    [Fact]
    public async Task A_save_whose_connection_breaks_is_an_error_while_reading()
    {
        await using var breaking = MisbehavingEngine.Saying($"{Streaming}{Chunk(new string('x', 1000))}");
        using var engine = Adapter(breaking.Socket);
        await using var tar = await engine.SaveImageAsync("box", default);
        var failure = await Assert.ThrowsAsync<EngineException>(() => tar.CopyToAsync(Stream.Null));
        Assert.Equal(EngineFailure.Unreachable, failure.Failure);
    }

    [Fact]
    public async Task Logs_that_end_inside_a_frame_are_an_error_after_the_lines_before()
    {
        await using var cut = MisbehavingEngine.Saying($"{Streaming}{Chunk("\u0001\0\0\0\0\0\0\u0004one\n\u0002\0\0\0\0\0\0\u0009half")}0\r\n\r\n");
        using var engine = Adapter(cut.Socket);
        var lines = new List<LogLine>();
        var failure = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var line in engine.ReadLogsAsync("c", null, false, default))
                lines.Add(line);
        });
        Assert.Equal(EngineFailure.Unreachable, failure.Failure);
        Assert.Equal([new LogLine(false, "one")], lines);
    }

    [Fact]
    public async Task Events_end_with_an_error_when_the_engine_goes_away()
    {
        await using var leaving = MisbehavingEngine.Saying(
            $"{Streaming}{Chunk("""{"Type":"container","Action":"died","Actor":{"ID":"c1","Attributes":{"containerExitCode":"3"}}}""" + "\n")}0\r\n\r\n");
        using var engine = Adapter(leaving.Socket);
        var seen = new List<EngineEvent>();
        var failure = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var happened in engine.WatchAsync(default))
                seen.Add(happened);
        });
        Assert.Equal(EngineFailure.Unreachable, failure.Failure);
        var died = Assert.Single(seen);
        Assert.Equal(("die", "c1", "3"), (died.Action, died.ContainerId, died.Attributes["exitCode"]));
    }

    [Fact]
    public async Task A_line_of_events_without_end_is_given_up()
    {
        await using var endless = new MisbehavingEngine(async (stream, cancel) =>
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Streaming), cancel);
            while (true)
                await stream.WriteAsync(Encoding.ASCII.GetBytes(Chunk(new string('x', 10_000))), cancel);
        });
        using var engine = Adapter(endless.Socket);
        var failure = await Assert.ThrowsAsync<EngineException>(async () =>
        {
            await foreach (var happened in engine.WatchAsync(default))
                Assert.Null(happened);
        });
        Assert.Equal(EngineFailure.Failed, failure.Failure);
    }

    [Theory]
    [InlineData("1.41", "1.12", "/v1.41/")]
    [InlineData("1.38", "1.12", "/v1.38/")]
    [InlineData("1.52", "1.44", "/v1.44/")]
    public async Task The_api_version_is_one_that_both_sides_know(string newest, string oldest, string expected)
    {
        await using var engineOf = new MisbehavingEngine(
            async (stream, cancel) => await stream.WriteAsync(Encoding.ASCII.GetBytes(MisbehavingEngine.Ok("[]")), cancel),
            $$"""{"Version":"x","ApiVersion":"{{newest}}","MinAPIVersion":"{{oldest}}"}""");
        using var engine = Adapter(engineOf.Socket);
        Assert.Empty(await engine.ListImagesAsync(default));
        Assert.Contains(engineOf.Requests, request => request.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("../../info")]
    [InlineData("a//b")]
    public async Task A_name_that_would_reach_another_endpoint_is_refused_before_anything_is_sent(string name)
    {
        await using var quiet = MisbehavingEngine.Saying(MisbehavingEngine.Ok("{}"));
        using var engine = Adapter(quiet.Socket);
        await FailureOf(engine.InspectImageAsync(name, default), EngineFailure.Rejected);
        Assert.DoesNotContain(quiet.Requests, request => request.Contains("info", StringComparison.Ordinal));
    }

    private DockerEngine Adapter(string socket) => new(socket, _time, NullLogger<DockerEngine>.Instance);

    private static string Chunk(string text) => $"{text.Length:x}\r\n{text}\r\n";

    private static async Task<EngineException> FailureOf(Task task, EngineFailure expected)
    {
        // The engine's own clock stands still: a test that would wait for ever fails instead.
        var failure = await Assert.ThrowsAsync<EngineException>(() => task.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal(expected, failure.Failure);
        return failure;
    }

    private sealed class Collected : IProgress<string>
    {
        public List<string> Lines { get; } = [];

        public void Report(string value) => Lines.Add(value);
    }
}
