using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using EdgeFirmware.Contracts.Engine;

namespace EdgeFirmware.Workloads.Tests.Support;

/// <summary>An engine that only keeps books: which images, containers and volumes there are, and what was done.</summary>
internal sealed class RememberingEngine : IContainerEngine
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (ContainerDefinition Definition, ContainerState State, int? ExitCode)> _containers = [];
    private readonly ConcurrentDictionary<string, string> _volumes = [];
    private readonly ConcurrentDictionary<string, byte[]> _content = [];
    private readonly List<ChannelWriter<EngineEvent>> _watchers = [];
    private int _made;

    public ConcurrentQueue<string> Done { get; } = [];

    public HashSet<string> Images { get; } = ["conv:1"];

    /// <summary>Methods that fail, by the name of what they do.</summary>
    public ConcurrentDictionary<string, EngineFailure> Failing { get; } = [];

    /// <summary>Nothing answers until it is cancelled, and no event comes.</summary>
    public TaskCompletionSource? Hang { get; set; }

    /// <summary>Called when a container starts: the application's own start.</summary>
    public Action<ContainerDefinition> Started { get; set; } = _ => { };

    /// <summary>A container ends as soon as it starts, with this code.</summary>
    public int? EndsAtOnceWith { get; set; }

    public IReadOnlyList<string> Volumes => [.. _volumes.Keys.Order()];

    public IReadOnlyList<string> Containers
    {
        get
        {
            lock (_gate)
                return [.. _containers.Select(pair => $"{pair.Key}:{pair.Value.State}")];
        }
    }

    public ContainerDefinition Definition(string id)
    {
        lock (_gate)
            return _containers[id].Definition;
    }

    /// <summary>A container ends by itself; whoever watches is told, unless nobody shall hear of it.</summary>
    public void End(string id, int exitCode, bool silently = false)
    {
        lock (_gate)
        {
            _containers[id] = _containers[id] with { State = ContainerState.Exited, ExitCode = exitCode };
            if (!silently)
                foreach (var watcher in _watchers)
                    watcher.TryWrite(new EngineEvent("die", id, new Dictionary<string, string> { ["exitCode"] = exitCode.ToString() }));
        }
    }

    public void Fill(string container, string path, byte[] content) => _content[$"{container}:{path}"] = content;

    public byte[]? Content(string container, string path) => _content.GetValueOrDefault($"{container}:{path}");

    public async Task<EngineDescription> DescribeAsync(CancellationToken cancel)
    {
        await AnswerAsync("describe", cancel);
        return new EngineDescription("Book", "1", "amd64", true, false, "/");
    }

    public Task<IReadOnlyList<ImageDescription>> ListImagesAsync(CancellationToken cancel) => throw new NotSupportedException();

    public async Task<ImageDescription?> InspectImageAsync(string reference, CancellationToken cancel)
    {
        await AnswerAsync("inspect-image", cancel);
        return Images.Contains(reference) ? new ImageDescription("sha256:" + reference, [reference], "amd64", 10, ["sha256:layer"]) : null;
    }

    public async Task PullImageAsync(string reference, IProgress<string>? progress, CancellationToken cancel)
    {
        await AnswerAsync("pull", cancel);
        Images.Add(reference);
    }

    public Task<Stream> SaveImageAsync(string reference, CancellationToken cancel) => throw new NotSupportedException();

    public Task LoadImageAsync(Stream tar, CancellationToken cancel) => throw new NotSupportedException();

    public Task TagImageAsync(string imageId, string reference, CancellationToken cancel) => throw new NotSupportedException();

    public Task RemoveImageAsync(string reference, CancellationToken cancel) => throw new NotSupportedException();

    public async Task<string> CreateContainerAsync(ContainerDefinition definition, CancellationToken cancel)
    {
        await AnswerAsync("create", cancel);
        lock (_gate)
        {
            if (_containers.Values.Any(one => one.Definition.Name == definition.Name))
                throw new EngineException(EngineFailure.Conflict, $"the name {definition.Name} is in use");
            var id = $"c{++_made}";
            _containers[id] = (definition, ContainerState.Created, null);
            return id;
        }
    }

    public async Task StartContainerAsync(string container, CancellationToken cancel)
    {
        await AnswerAsync("start", cancel);
        ContainerDefinition definition;
        lock (_gate)
        {
            definition = _containers[container].Definition;
            _containers[container] = EndsAtOnceWith is { } code ? (definition, ContainerState.Exited, code) : (definition, ContainerState.Running, null);
        }
        Started(definition);
    }

    public async Task StopContainerAsync(string container, TimeSpan grace, CancellationToken cancel)
    {
        await AnswerAsync("stop", cancel);
        End(container, 143);
    }

    public Task KillContainerAsync(string container, string signal, CancellationToken cancel) => throw new NotSupportedException();

    public async Task RemoveContainerAsync(string container, CancellationToken cancel)
    {
        await AnswerAsync("remove", cancel);
        lock (_gate)
            _containers.Remove(container);
    }

    public async Task<ContainerDescription?> InspectContainerAsync(string container, CancellationToken cancel)
    {
        await AnswerAsync("inspect", cancel);
        lock (_gate)
            return _containers.TryGetValue(container, out var one) ? Describe(container, one) : null;
    }

    public async Task<IReadOnlyList<ContainerDescription>> ListContainersAsync(string label, CancellationToken cancel)
    {
        await AnswerAsync("list", cancel);
        var (key, value) = label.Split('=') is [var name, var wanted] ? (name, wanted) : (label, null);
        lock (_gate)
            return [.. _containers.Where(pair => pair.Value.Definition.Labels.TryGetValue(key, out var has) && (value is null || has == value))
                .Select(pair => Describe(pair.Key, pair.Value))];
    }

    public async IAsyncEnumerable<LogLine> ReadLogsAsync(string container, int? tail, bool follow, [EnumeratorCancellation] CancellationToken cancel)
    {
        await AnswerAsync("logs", cancel);
        yield return new LogLine(true, "last words");
    }

    public Task<ContainerUsage> ReadUsageAsync(string container, CancellationToken cancel) => throw new NotSupportedException();

    public Task<ExecOutcome> ExecuteAsync(string container, IReadOnlyList<string> command, CancellationToken cancel) => throw new NotSupportedException();

    public async Task<Stream> CopyOutAsync(string container, string path, CancellationToken cancel)
    {
        await AnswerAsync("copy-out", cancel);
        return new MemoryStream(_content.GetValueOrDefault($"{container}:{path}") ?? []);
    }

    public async Task CopyInAsync(string container, string directory, Stream tar, CancellationToken cancel)
    {
        await AnswerAsync("copy-in", cancel);
        using var content = new MemoryStream();
        await tar.CopyToAsync(content, cancel);
        _content[$"{container}:{directory}"] = content.ToArray();
    }

    public int Flushes { get; private set; }

    public Task FlushAsync(CancellationToken cancel)
    {
        Flushes++;
        return Task.CompletedTask;
    }

    public async Task CreateVolumeAsync(string name, IReadOnlyDictionary<string, string> labels, CancellationToken cancel)
    {
        await AnswerAsync("create-volume", cancel);
        _volumes[name] = labels.First().Value;
    }

    public async Task<IReadOnlyList<string>> ListVolumesAsync(string label, CancellationToken cancel)
    {
        await AnswerAsync("list-volumes", cancel);
        return [.. _volumes.Where(pair => !label.Contains('=', StringComparison.Ordinal) || label.EndsWith("=" + pair.Value, StringComparison.Ordinal)).Select(pair => pair.Key)];
    }

    public async Task RemoveVolumeAsync(string name, CancellationToken cancel)
    {
        await AnswerAsync("remove-volume", cancel);
        _volumes.TryRemove(name, out _);
    }

    public async IAsyncEnumerable<EngineEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var channel = Channel.CreateUnbounded<EngineEvent>();
        lock (_gate)
            _watchers.Add(channel.Writer);
        await foreach (var happened in channel.Reader.ReadAllAsync(cancel))
            yield return happened;
    }

    private async Task AnswerAsync(string what, CancellationToken cancel)
    {
        await Task.Yield();
        if (Hang is { } hang)
        {
            // As the adapter does: a deadline turns silence into a fault.
            await Task.WhenAny(hang.Task, Task.Delay(50, cancel));
            cancel.ThrowIfCancellationRequested();
            throw new EngineException(EngineFailure.Unreachable, "no answer in time");
        }
        if (Failing.TryGetValue(what, out var failure))
            throw new EngineException(failure, $"{what} fails");
        Done.Enqueue(what);
    }

    private static ContainerDescription Describe(string id, (ContainerDefinition Definition, ContainerState State, int? ExitCode) one) =>
        new(id, one.Definition.Name, one.Definition.Image, one.State, one.ExitCode, false, one.Definition.Labels);
}
