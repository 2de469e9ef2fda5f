using System.Runtime.CompilerServices;
using System.Text;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Platform.Engine;

public sealed partial class DockerEngine
{
    /// <summary>Of each of stdout and stderr of an executed command; the rest is dropped.</summary>
    public const int ExecOutputBytesMax = 1 << 20;

    public async IAsyncEnumerable<LogLine> ReadLogsAsync(
        string container, int? tail, bool follow, [EnumeratorCancellation] CancellationToken cancel)
    {
        var query = $"stdout=1&stderr=1&follow={(follow ? 1 : 0)}&tail={(tail is { } lines ? lines.ToString() : "all")}";
        await using var answer = await _client.OpenAsync(HttpMethod.Get, $"{At(container)}/logs?{query}", null, cancel);
        var output = new LineAssembler();
        var error = new LineAssembler();
        var complete = new List<string>();
        await foreach (var piece in Stdcopy.ReadAsync(answer, _client.Socket, cancel))
        {
            (piece.IsError ? error : output).Append(piece.Data.Span, complete);
            foreach (var line in complete)
                yield return new LogLine(piece.IsError, line);
            complete.Clear();
        }
        if (output.Rest() is { } lastOutput)
            yield return new LogLine(false, lastOutput);
        if (error.Rest() is { } lastError)
            yield return new LogLine(true, lastError);
    }

    /// <summary>Cancelling stops waiting; the command goes on in the container, because the API has no way to end it.</summary>
    public async Task<ExecOutcome> ExecuteAsync(string container, IReadOnlyList<string> command, CancellationToken cancel)
    {
        var create = EngineClient.Json(new ExecRequest(true, true, command), EngineJson.Default.ExecRequest);
        var created = await _client.AskAsync(
            HttpMethod.Post, $"{At(container)}/exec", create, EngineJson.Default.IdAnswer, EngineDeadlines.Change, cancel);
        var exec = $"exec/{EnginePath.Segment(created.Id ?? "")}";

        using var output = new MemoryStream();
        using var error = new MemoryStream();
        var start = EngineClient.Json(new ExecStart(Detach: false, Tty: false), EngineJson.Default.ExecStart);
        await using (var answer = await _client.OpenAsync(HttpMethod.Post, $"{exec}/start", start, cancel))
            await foreach (var piece in Stdcopy.ReadAsync(answer, _client.Socket, cancel))
                Keep(piece.IsError ? error : output, piece.Data.Span);

        return new ExecOutcome(await ExitCodeAsync(exec, cancel), Text(output), Text(error));
    }

    public async IAsyncEnumerable<EngineEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await using var answer = await _client.OpenAsync(HttpMethod.Get, $"events?filters={FilterQuery("type", "container")}", null, cancel);
        await foreach (var line in JsonLines.ReadAsync(answer, EngineJson.Default.EventLine, _client.Socket, cancel))
            if (EngineEvents.From(line) is { } happened)
                yield return happened;
        throw EngineFailures.FromSocket(_client.Socket, new EndOfStreamException("the stream of events ended"));
    }

    /// <summary>The output ends a moment before the engine has noted the exit code.</summary>
    private async Task<int> ExitCodeAsync(string exec, CancellationToken cancel)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var answer = await _client.AskAsync(
                HttpMethod.Get, $"{exec}/json", null, EngineJson.Default.ExecAnswer, EngineDeadlines.Inspect, cancel);
            if (answer is { Running: false, ExitCode: { } code })
                return code;
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, cancel);
        }
        throw new EngineException(EngineFailure.Failed, "the command closed its output but did not end");
    }

    private static void Keep(MemoryStream kept, ReadOnlySpan<byte> piece)
    {
        var room = ExecOutputBytesMax - (int)kept.Length;
        kept.Write(piece.Length <= room ? piece : piece[..room]);
    }

    private static string Text(MemoryStream bytes) => Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
}
