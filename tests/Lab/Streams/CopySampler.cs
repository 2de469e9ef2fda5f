using EdgeFirmware.Lab.Os;
using EdgeFirmware.Lab.Sites;

namespace EdgeFirmware.Lab.Streams;

/// <param name="Live">Live copies at that moment, as <c>node/container</c>.</param>
public sealed record CopySample(long At, IReadOnlyList<string> Live);

/// <summary>Looks at short intervals which copies of a workload are alive on the whole site. It asks the kernel, not the engines: a copy
/// lives while its container's cgroup has a process, also when its engine has died; and reading three directories costs next to nothing.</summary>
public sealed class CopySampler : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly Site _site;
    private readonly string _workload;
    private readonly Lock _lock = new();
    private readonly List<CopySample> _samples = [];
    private readonly Dictionary<string, bool> _isCopy = [];
    private readonly CancellationTokenSource _end = new();
    private readonly Task _sampling;

    public CopySampler(Site site, string workload)
    {
        _site = site;
        _workload = workload;
        _sampling = Task.Run(SampleAsync);
    }

    /// <summary>Samples so far: a mark to pass to <see cref="Since"/>.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _samples.Count;
        }
    }

    public IReadOnlyList<CopySample> Since(int mark)
    {
        lock (_lock)
            return _samples[mark..];
    }

    /// <summary>The most copies that lived at one sampled instant.</summary>
    public int MostAlive(int mark = 0) => Since(mark).Select(sample => sample.Live.Count).DefaultIfEmpty(0).Max();

    public CopySample? Last()
    {
        lock (_lock)
            return _samples.Count == 0 ? null : _samples[^1];
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _sampling;
        _end.Dispose();
    }

    private async Task SampleAsync()
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        try
        {
            do
            {
                var live = new List<string>();
                foreach (var node in _site.Nodes)
                    foreach (var container in LiveContainers(node))
                        if (await IsCopyAsync(node, container))
                            live.Add($"{node.Name}/{container[..12]}");
                lock (_lock)
                    _samples.Add(new CopySample(TimeProvider.System.GetTimestamp(), live));
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private static IEnumerable<string> LiveContainers(Node node) =>
        from directory in Children(node.Cgroup.Primary)
        let name = Path.GetFileName(directory)
        where name.Length == 64 && Cgroup.ProcessesIn(directory).Count > 0
        select name;

    private static string[] Children(string directory)
    {
        try
        {
            return Directory.GetDirectories(directory);
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>Asked once per container. When the engine can no longer say, it counts: twins must not be missed.</summary>
    private async Task<bool> IsCopyAsync(Node node, string container)
    {
        if (_isCopy.TryGetValue(container, out var known))
            return known;
        try
        {
            var inspected = await node.Engine.InspectContainerAsync(container);
            if (inspected is null)
                return false;
            return _isCopy[container] = (string?)inspected["Config"]?["Labels"]?["edge.workload"] == _workload;
        }
        catch (HttpRequestException)
        {
            return true;
        }
    }
}
