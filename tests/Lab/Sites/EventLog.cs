using System.Text.Json.Nodes;
using EdgeFirmware.Lab.Os;

namespace EdgeFirmware.Lab.Sites;

/// <summary>Everything the nodes of a site say happened, in the order the lab heard it. One reader per node follows
/// <c>/api/v1/events</c> and comes back when the node does.</summary>
public sealed class EventLog : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<NodeEvent> _events = [];
    private readonly HashSet<(string Node, string? Time, string? Sequence)> _known = [];
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _readers = [];

    /// <summary>Raised from reader tasks.</summary>
    public event Action<NodeEvent>? Heard;

    /// <summary>How many there are: a mark to pass to <see cref="Since"/>.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _events.Count;
        }
    }

    public void Follow(string node, HttpClient api) => _readers.Add(ReadAsync(node, api));

    public IReadOnlyList<NodeEvent> Since(int mark)
    {
        lock (_lock)
            return _events[mark..];
    }

    /// <summary>The first event after the mark that fits, when it comes.</summary>
    public async Task<NodeEvent> UntilAsync(int mark, Func<NodeEvent, bool> fits, TimeSpan within, string what, CancellationToken cancel = default)
    {
        NodeEvent? found = null;
        await Until.TrueAsync(
            () => (found = Since(mark).FirstOrDefault(fits)) is not null,
            within,
            what,
            cancel,
            () => string.Join("; ", Since(mark).TakeLast(8).Select(e => $"{e.Node}: {e.Kind} {e.Subject} {e.Why}")));
        return found!;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_readers);
        _end.Dispose();
    }

    private async Task ReadAsync(string node, HttpClient api)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var response = await api.GetAsync("api/v1/events", HttpCompletionOption.ResponseHeadersRead, _end.Token);
                response.EnsureSuccessStatusCode();
                using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(_end.Token));
                while (await lines.ReadLineAsync(_end.Token) is { } line)
                    if (line.StartsWith("data:", StringComparison.Ordinal))
                        Add(node, JsonNode.Parse(line["data:".Length..])!);
            }
            catch (OperationCanceledException) when (_end.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
            {
                // The node is not up, or not yet again.
            }
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, _end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private void Add(string node, JsonNode json)
    {
        var happened = new NodeEvent(
            TimeProvider.System.GetTimestamp(), node, (string?)json["kind"] ?? "", (string?)json["subject"] ?? "", (string?)json["why"] ?? "", json);
        lock (_lock)
        {
            // A node tells a new follower what happened before.
            if (!_known.Add((node, json["time"]?.ToJsonString(), json["sequence"]?.ToJsonString())))
                return;
            _events.Add(happened);
        }
        Heard?.Invoke(happened);
    }
}
